/*
 * For t/targets/no_ipv6.t: outbound calls find a kernel without IPv6.  nginx
 * itself does not ask for SOCK_CLOEXEC.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>


int
socket(int domain, int type, int protocol)
{
    int  (*next)(int, int, int);

    if (domain == AF_INET6 && (type & SOCK_CLOEXEC)) {
        errno = EAFNOSUPPORT;
        return -1;
    }

    next = (int (*)(int, int, int)) dlsym(RTLD_NEXT, "socket");

    return next(domain, type, protocol);
}
