#include "server/os/library.h"

#include <dlfcn.h>
#include <string.h>

sky_err sky_library_open(const char *file, const struct sky_library_call *calls, size_t count,
                         struct sky_why *why)
{
    void *library = dlopen(file, RTLD_LAZY | RTLD_LOCAL), *function = library;
    for (size_t i = 0; function != NULL && i < count; i++)
        function = dlsym(library, calls[i].name);
    if (function == NULL)
        return sky_why_set(why, SKY_ERR_NOT_FOUND, "", "the library %s cannot be used: %s", file,
                           dlerror());
    for (size_t i = 0; i < count; i++) {
        function = dlsym(library, calls[i].name);
        memcpy(calls[i].at, &function, sizeof function);
    }
    return SKY_OK;
}
