/* An HTTP server for one test: answers every POST with a status that the test chooses and remembers the last one. */
#ifndef THROUGHLINE_TESTS_SERVICE_NOTIFICATION_RECEIVER_H
#define THROUGHLINE_TESTS_SERVICE_NOTIFICATION_RECEIVER_H

typedef struct Receiver Receiver;

/* The first `failures` posts are answered with `failure`, the others with 204. */
Receiver *receiver_start(int failures, int failure);
int receiver_port(const Receiver *receiver);
int receiver_posts(Receiver *receiver);
/* Stops it; the last request as it came stays readable until receiver_free. */
const char *receiver_stop(Receiver *receiver);
void receiver_free(Receiver *receiver);

#endif
