#include "server/os/library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

static bool take_linked(const struct sky_library_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (calls[i].linked == NULL)
            return false;
    for (size_t i = 0; i < count; i++)
        memcpy(calls[i].at, &calls[i].linked, sizeof calls[i].linked);
    return true;
}

sky_err sky_library_open(const char *file, const struct sky_library_call *calls, size_t count,
                         struct sky_why *why)
{
    if (take_linked(calls, count))
        return SKY_OK;
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
