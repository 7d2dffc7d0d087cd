/* Where webhooks may go. */
#ifndef THROUGHLINE_SERVICES_NOTIFICATION_DOMAIN_ENDPOINT_H
#define THROUGHLINE_SERVICES_NOTIFICATION_DOMAIN_ENDPOINT_H

/* NULL when it is an address that can be posted to: http or https, a host, perhaps a port; printable ASCII without a user's name. Else
 * what is wrong with it. */
const char *endpoint_check_uri(const char *uri);

#endif
