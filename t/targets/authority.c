/*
 * For t/targets/tls.t: what asks for the system's certificate authorities is
 * given the file that FLIQ_AUTHORITY names.  libcurl has no variable for it.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define SYSTEM  "/etc/ssl/certs/ca-certificates.crt"


static char  authority[4096];


/* nginx writes its titles where the variables were. */

__attribute__((constructor))
static void
keep_variable(void)
{
    const char  *path = getenv("FLIQ_AUTHORITY");

    if (path) {
        snprintf(authority, sizeof(authority), "%s", path);
    }
}


static FILE *
open_instead(const char *name, const char *path, const char *mode)
{
    FILE  *(*next)(const char *, const char *);

    next = (FILE *(*)(const char *, const char *)) dlsym(RTLD_NEXT, name);

    if (authority[0] && strcmp(path, SYSTEM) == 0) {
        path = authority;
    }

    return next(path, mode);
}


FILE *
fopen(const char *path, const char *mode)
{
    return open_instead("fopen", path, mode);
}


FILE *
fopen64(const char *path, const char *mode)
{
    return open_instead("fopen64", path, mode);
}
