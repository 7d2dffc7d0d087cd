/* TLS of the client: roots of our own, the peer's name checked, ALPN h2. */
#include "shared/rpc/client_h2.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

static const unsigned char protocol[] = { 2, 'h', '2' };

const Error *client_tls_open(const RpcClientOptions *options, SSL_CTX **tls)
{
    SSL_CTX *context;
    bool is_good;

    *tls = NULL;
    if (!options->tls_ca)
        return NULL;
    context = SSL_CTX_new(TLS_client_method());
    if (!context)
        abort();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    is_good = SSL_CTX_load_verify_locations(context, options->tls_ca, NULL) == 1 &&
              SSL_CTX_set_alpn_protos(context, protocol, sizeof(protocol)) == 0;
    if (is_good && options->tls_certificate && options->tls_key)
        is_good = SSL_CTX_use_certificate_chain_file(context, options->tls_certificate) == 1 &&
                  SSL_CTX_use_PrivateKey_file(context, options->tls_key, SSL_FILETYPE_PEM) == 1 &&
                  SSL_CTX_check_private_key(context) == 1;
    ERR_clear_error();
    if (!is_good) {
        SSL_CTX_free(context);
        return &client_tls_unreadable;
    }
    *tls = context;
    return NULL;
}

SSL *client_tls_new(const ClientChannel *channel, int socket)
{
    SSL *ssl = SSL_new(channel->tls);
    unsigned char address[sizeof(struct in6_addr)];
    bool is_address = inet_pton(AF_INET, channel->host, address) == 1 ||
                      inet_pton(AF_INET6, channel->host, address) == 1;

    if (!ssl || SSL_set_fd(ssl, socket) != 1)
        abort();
    if (is_address
            ? !X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), channel->host)
            : !SSL_set1_host(ssl, channel->host) || !SSL_set_tlsext_host_name(ssl, channel->host))
        abort();
    SSL_set_connect_state(ssl);
    return ssl;
}
