/*
 * For t/fail/calls.t: makes the n-th call of the module fail, of those that
 * allocate, of libpq, libcurl, jansson and libcrypto, and of the system.
 *
 * The module's own table of addresses is changed when nginx loads it, so no
 * call of anybody else is counted.  The file that FLIQ_FAIL names says what
 * to do, and is told what was done; it must be as long as the struct below.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


#define MODULE   "ngx_http_fliq_module"
#define NAME     64

/* what a function returns when it fails */
#define FUNCTIONS(F)                                                         \
    F(ngx_palloc, 0)                F(ngx_pcalloc, 0)                        \
    F(ngx_pnalloc, 0)               F(ngx_alloc, 0)                          \
    F(ngx_calloc, 0)                F(ngx_create_pool, 0)                    \
    F(ngx_array_create, 0)          F(ngx_array_push, 0)                     \
    F(ngx_list_push, 0)             F(ngx_pool_cleanup_add, 0)               \
    F(ngx_http_cleanup_add, 0)      F(ngx_pstrdup, 0)                        \
    F(ngx_alloc_chain_link, 0)      F(ngx_get_connection, 0)                 \
    F(malloc, 0)                    F(calloc, 0)                             \
    F(strdup, 0)                                                             \
    F(PQconnectStartParams, 0)      F(PQconnectPoll, 0)                      \
    F(PQconsumeInput, 0)            F(PQenterPipelineMode, 0)                \
    F(PQflush, -1)                  F(PQpipelineSync, 0)                     \
    F(PQsendPrepare, 0)             F(PQsendQuery, 0)                        \
    F(PQsendQueryPrepared, 0)       F(PQsetnonblocking, -1)                  \
    F(curl_easy_init, 0)            F(curl_easy_setopt, 27)                  \
    F(curl_multi_init, 0)           F(curl_multi_add_handle, 3)              \
    F(curl_multi_socket_action, 4)                                           \
    F(json_loadb, 0)                F(json_array, 0)                         \
    F(json_object, 0)               F(json_string, 0)                        \
    F(json_stringn, 0)              F(json_stringn_nocheck, 0)               \
    F(json_integer, 0)              F(json_real, 0)                          \
    F(json_dump_callback, -1)                                                \
    F(EVP_Digest, 0)                F(EVP_MAC_fetch, 0)                      \
    F(EVP_MAC_CTX_new, 0)           F(EVP_MAC_init, 0)                       \
    F(EVP_MAC_update, 0)            F(EVP_MAC_final, 0)                      \
    F(RAND_bytes, 0)                                                         \
    F(eventfd, -1)                  F(getrandom, -1)                         \
    F(pthread_create, EAGAIN)       F(socket, -1)                            \
    F(timerfd_create, -1)


/* Six arguments of registers and two of the stack: more than any takes. */
typedef long (*any_t)(long, long, long, long, long, long, long, long);

typedef struct {
    int32_t   pid;              /* whose calls are counted; 0: nobody's */
    int32_t   nth;              /* the one that fails; 0: none */
    int32_t   count;            /* how many there were */
    char      name[NAME];       /* the one that failed */
    char      only[NAME];       /* the one that counts; empty: all do */
} control_t;


static control_t  *control;


static int
fails(const char *name)
{
    if (control == NULL || control->pid != getpid()
        || (control->only[0] && strcmp(control->only, name) != 0)
        || __atomic_add_fetch(&control->count, 1, __ATOMIC_SEQ_CST)
           != control->nth)
    {
        return 0;
    }

    snprintf(control->name, NAME, "%s", name);
    errno = ENOMEM;

    return 1;
}


#define FAKE(name, failure)                                                  \
                                                                             \
static any_t  real_##name;                                                   \
                                                                             \
static long                                                                  \
fake_##name(long a, long b, long c, long d, long e, long f, long g, long h)  \
{                                                                            \
    return fails(#name) ? failure : real_##name(a, b, c, d, e, f, g, h);     \
}

FUNCTIONS(FAKE)


static const struct {
    const char  *name;
    any_t       *real;
    any_t        fake;
} fakes[] = {
#define ROW(name, failure)  { #name, &real_##name, fake_##name },
    FUNCTIONS(ROW)
};


__attribute__((constructor))
static void
map_control(void)
{
    int          fd;
    void        *p;
    const char  *path;

    path = getenv("FLIQ_FAIL");
    fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(control_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
             0);
    control = p == MAP_FAILED ? NULL : p;
    close(fd);
}


static void
replace(any_t *slot, const char *name)
{
    size_t     i;
    uintptr_t  page = (uintptr_t) slot & ~(uintptr_t) (getpagesize() - 1);

    for (i = 0; i < sizeof(fakes) / sizeof(fakes[0]); i++) {
        if (strcmp(fakes[i].name, name) != 0 || *slot == fakes[i].fake) {
            continue;
        }

        if (mprotect((void *) page, getpagesize() * 2,
                     PROT_READ | PROT_WRITE) != 0)
        {
            abort();
        }

        *fakes[i].real = *slot;
        *slot = fakes[i].fake;
    }
}


static void
replace_all(const struct link_map *map)
{
    size_t            i, size = 0;
    const char       *names = NULL;
    const ElfW(Dyn)  *d;
    const ElfW(Sym)  *symbols = NULL;
    const ElfW(Rela) *calls = NULL;

    for (d = map->l_ld; d->d_tag != DT_NULL; d++) {
        switch (d->d_tag) {
        case DT_STRTAB:    names = (const char *) d->d_un.d_ptr;  break;
        case DT_SYMTAB:    symbols = (const void *) d->d_un.d_ptr;  break;
        case DT_JMPREL:    calls = (const void *) d->d_un.d_ptr;  break;
        case DT_PLTRELSZ:  size = d->d_un.d_val;  break;
        }
    }

    for (i = 0; i < size / sizeof(ElfW(Rela)); i++) {
        replace((any_t *) (map->l_addr + calls[i].r_offset),
                names + symbols[ELF64_R_SYM(calls[i].r_info)].st_name);
    }
}


void *
dlopen(const char *path, int flags)
{
    void             *handle, *(*next)(const char *, int);
    struct link_map  *map;

    next = (void *(*)(const char *, int)) dlsym(RTLD_NEXT, "dlopen");
    handle = next(path, flags);

    if (handle && path && strstr(path, MODULE)
        && dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0)
    {
        replace_all(map);
    }

    return handle;
}
