/* The least that a server can do: read with epoll, answer each message with bytes that never change.
 *
 * What it costs is what the system calls and the client cost: the limit for anything in its place. It speaks
 * just enough of PostgreSQL's protocol for pgbench: any login is welcome, every statement has the same one row.
 * Each packet must hold whole messages, as pgbench sends them. usage: canned PORT
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 65536, CHUNK = 65536, EVENTS = 64, SSL_REQUEST = 80877103, GSS_REQUEST = 80877104 };

#define READY "Z\0\0\0\5I"
#define ROW_DESCRIPTION                                        \
    "T\0\0\0\x31\0\2"                                          \
    "name\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0" \
    "n\0\0\0\0\0\0\0\0\0\0\x17\0\4\xff\xff\xff\xff\0\0"
#define ROW "D\0\0\0\x16\0\2\0\0\0\7item 10\0\0\0\1" "0"
#define COMPLETE "C\0\0\0\rSELECT 1\0"
#define PUT(bytes) (memcpy(out + filled, bytes, sizeof bytes - 1), filled += sizeof bytes - 1)

static char is_logged_in[MOST_DESCRIPTORS];
static unsigned char in[CHUNK];
static char out[16 * CHUNK];

static unsigned number(const unsigned char *at) {
    return (unsigned)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static int answer(int client, int size) {
    int filled = 0;
    if (!is_logged_in[client]) {
        unsigned code = number(in + 4);
        if (code == SSL_REQUEST || code == GSS_REQUEST) return write(client, "N", 1);
        is_logged_in[client] = 1;
        PUT("R\0\0\0\x08\0\0\0\0" READY);
    } else {
        for (int at = 0; at + 5 <= size; at += 1 + number(in + at + 1)) {
            switch (in[at]) {
            case 'P': PUT("1\0\0\0\4"); break;
            case 'B': PUT("2\0\0\0\4"); break;
            case 'D': PUT(ROW_DESCRIPTION); break;
            case 'E': PUT(ROW COMPLETE); break;
            case 'Q': PUT(ROW_DESCRIPTION ROW COMPLETE READY); break;
            case 'S': PUT(READY); break;
            }
        }
    }
    return write(client, out, filled);
}

int main(int count, char **words) {
    int server = socket(AF_INET, SOCK_STREAM, 0), polled = epoll_create1(0), on = 1;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = server}, seen[EVENTS];
    if (count != 2) return fprintf(stderr, "usage: canned PORT\n"), 2;
    place.sin_port = htons(atoi(words[1]));
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server, (struct sockaddr *)&place, sizeof place) || listen(server, 128)) return perror("canned"), 1;
    epoll_ctl(polled, EPOLL_CTL_ADD, server, &wanted);
    for (;;) {
        int events = epoll_wait(polled, seen, EVENTS, -1);
        for (int event = 0; event < events; event++) {
            int client = seen[event].data.fd;
            if (client == server) {
                client = accept(server, 0, 0);
                if (client < 0 || client >= MOST_DESCRIPTORS) continue;
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                is_logged_in[client] = 0;
                wanted.data.fd = client;
                epoll_ctl(polled, EPOLL_CTL_ADD, client, &wanted);
            } else {
                int size = read(client, in, sizeof in);
                if (size < 8 && size != 5) {
                    close(client);
                } else if (answer(client, size) < 0) {
                    close(client);
                }
            }
        }
    }
}
