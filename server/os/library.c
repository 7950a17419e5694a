#include "server/os/library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

static void *function_of(void *library, const struct sky_library_call *call)
{
    void *function;
    if (call->linked == NULL)
        return dlsym(library, call->name);
    memcpy(&function, &call->linked, sizeof function);
    return function;
}

sky_err sky_library_open(const char *file, const struct sky_library_call *calls, size_t count,
                         struct sky_why *why)
{
    void *library = calls->linked == NULL ? dlopen(file, RTLD_LAZY | RTLD_LOCAL) : NULL;
    bool found = library != NULL || calls->linked != NULL;
    for (size_t i = 0; found && i < count; i++)
        found = function_of(library, &calls[i]) != NULL;
    if (!found)
        return sky_why_set(why, SKY_ERR_NOT_FOUND, "", "the library %s cannot be used: %s", file,
                           dlerror());
    for (size_t i = 0; i < count; i++) {
        void *function = function_of(library, &calls[i]);
        memcpy(calls[i].at, &function, sizeof function);
    }
    return SKY_OK;
}
