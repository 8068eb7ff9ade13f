/* SPDX-License-Identifier: Apache-2.0
 *
 * Giving a connection away. The library's own way to do that would keep its connection and its pool for as long as
 * the new owner needs the socket. So the descriptor is duplicated and the library is told to close: with TURBO it
 * closes without a shutdown, which would end the duplicate as well. What the library has read beyond the request
 * cannot be had back; the kernel's count of bytes says whether there is any. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "http/http_internal.h"

/* True when more was read from the socket than the requests so far account for. */
static bool read_ahead(const struct http_conn *conn)
{
    struct tcp_info info;
    socklen_t n = sizeof info;
    int unread;
    if (!conn->counted || getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &n) ||
        n < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received ||
        ioctl(conn->fd, SIOCINQ, &unread))
        return false;
    return info.tcpi_bytes_received > conn->consumed + (uint64_t)unread;
}

int rt_http_take_over(struct rt_http_req *req, int *ret_fd)
{
    if (req->answered || read_ahead(req->conn))
        return RT_E_INVALID;
    int fd = fcntl(req->conn->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? RT_E_FULL : RT_E_IO;
    req->answered = req->taken = true;
    req->http->active--;
    if (req->parked)
        http__list_append(&req->http->woken, &req->link);
    *ret_fd = fd;
    return 0;
}
