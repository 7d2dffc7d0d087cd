/* The pages of the admin port: a request's head in, a whole HTTP response out. */
#ifndef THROUGHLINE_ADMIN_PAGE_H
#define THROUGHLINE_ADMIN_PAGE_H

#include "shared/admin/http.h"

#include <event2/buffer.h>

/* Answers the request whose head (request line and headers) is the text `head`. */
void page_answer(const AdminOptions *options, const char *head, struct evbuffer *out);

/* Answers a head that is larger than what we read. */
void page_refuse_large(struct evbuffer *out);

#endif
