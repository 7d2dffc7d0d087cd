/* TLS 1.3 by OpenSSL, with ALPN h2. The files are looked at when a connection comes, and read
 * again when they have changed; those that cannot be used leave the old ones in place. */
#include "shared/rpc/transport_h2.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOOK_INTERVAL_MICROS = 1000000, N_FILES = 3 };

struct H2Tls {
    const char *files[N_FILES]; /* certificate, key, roots of clients or NULL */
    struct timespec changed_at[N_FILES];
    int64_t looked_at;
    SSL_CTX *context;
};

static const unsigned char offered[] = { 2, 'h', '2' };

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *size,
    const unsigned char *wanted, unsigned wanted_size, void *context)
{
    unsigned char *found;

    (void)ssl, (void)context;
    if (SSL_select_next_proto(&found, size, offered, sizeof(offered), wanted, wanted_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

void rpc_spare_tls_words(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
}

static const Error *bad_file(Arena *arena, const char *path)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    const Error *error = error_new(arena, ERROR_INVALID_ARGUMENT, "TLS_FILE",
        "The TLS file %s cannot be used: %s.", path, why ? why : "it does not fit the others");

    ERR_clear_error();
    return error;
}

static bool trust_clients(SSL_CTX *context, const char *path)
{
    if (!path)
        return true;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(path));
    return SSL_CTX_load_verify_locations(context, path, NULL) == 1;
}

static const Error *load(Arena *arena, const struct H2Tls *tls, SSL_CTX **loaded)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    const char *bad = NULL;

    if (!context)
        abort();
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (SSL_CTX_use_certificate_chain_file(context, tls->files[0]) != 1)
        bad = tls->files[0];
    else if (SSL_CTX_use_PrivateKey_file(context, tls->files[1], SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(context) != 1)
        bad = tls->files[1];
    else if (!trust_clients(context, tls->files[2]))
        bad = tls->files[2];
    if (bad) {
        SSL_CTX_free(context);
        return bad_file(arena, bad);
    }
    *loaded = context;
    return NULL;
}

/* Whether a file is another than it was. */
static bool look(struct H2Tls *tls)
{
    bool is_changed = false;

    tls->looked_at = clock_monotonic();
    for (int i = 0; i < N_FILES && tls->files[i]; i++) {
        struct stat status;

        if (stat(tls->files[i], &status))
            continue;
        is_changed |= status.st_mtim.tv_sec != tls->changed_at[i].tv_sec ||
                      status.st_mtim.tv_nsec != tls->changed_at[i].tv_nsec;
        tls->changed_at[i] = status.st_mtim;
    }
    return is_changed;
}

static void reload(struct H2Tls *tls)
{
    Arena *arena = arena_new();
    SSL_CTX *context;
    const Error *error = load(arena, tls, &context);

    if (error) {
        log_write(LOG_ERROR, "tls_files_not_reloaded",
            (const LogField[]){ { "message", error->message, 0 }, { 0 } });
    } else {
        SSL_CTX_free(tls->context); /* connections that use it keep it */
        tls->context = context;
        log_write(LOG_INFO, "tls_files_reloaded", NULL);
    }
    arena_free(arena);
}

const Error *h2_tls_open(Arena *arena, const TransportOptions *options, struct H2Tls **tls)
{
    struct H2Tls *opened = calloc(1, sizeof(*opened));
    const Error *error;

    if (!opened)
        abort();
    opened->files[0] = options->tls_certificate;
    opened->files[1] = options->tls_key;
    opened->files[2] = options->tls_client_ca;
    look(opened);
    if ((error = load(arena, opened, &opened->context))) {
        free(opened);
        return error;
    }
    *tls = opened;
    return NULL;
}

void h2_tls_close(struct H2Tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

SSL *h2_tls_new(struct H2Tls *tls, int socket)
{
    SSL *ssl;

    if (clock_monotonic() - tls->looked_at > LOOK_INTERVAL_MICROS && look(tls))
        reload(tls);
    ssl = SSL_new(tls->context);
    if (!ssl || SSL_set_fd(ssl, socket) != 1)
        abort();
    SSL_set_accept_state(ssl);
    return ssl;
}

bool h2_tls_is_h2(const SSL *ssl)
{
    const unsigned char *chosen;
    unsigned size;

    SSL_get0_alpn_selected(ssl, &chosen, &size);
    return size == offered[0] && !memcmp(chosen, offered + 1, size);
}

static char *copy(const ASN1_STRING *text)
{
    size_t size = (size_t)ASN1_STRING_length(text);
    const unsigned char *bytes = ASN1_STRING_get0_data(text);

    /* A NUL inside would make one name pass for another. */
    return text_is_utf8(bytes, size) ? strndup((const char *)bytes, size) : NULL;
}

static char *alternative_name(const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char *spiffe = NULL, *dns = NULL;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_URI && !spiffe) {
            spiffe = copy(name->d.uniformResourceIdentifier);
            if (spiffe && !text_starts_with(spiffe, "spiffe://")) {
                free(spiffe);
                spiffe = NULL;
            }
        } else if (name->type == GEN_DNS && !dns) {
            dns = copy(name->d.dNSName);
        }
    }
    GENERAL_NAMES_free(names);
    if (!spiffe)
        return dns;
    free(dns);
    return spiffe;
}

static char *common_name(const X509 *certificate)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    return at < 0 ? NULL : copy(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

char *h2_tls_identity(const SSL *ssl)
{
    const X509 *certificate = SSL_get0_peer_certificate(ssl);
    char *name = certificate ? alternative_name(certificate) : NULL;

    return certificate && !name ? common_name(certificate) : name;
}
