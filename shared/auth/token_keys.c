/* Keys in files. A file is written beside its place and renamed, so that nobody ever reads half a
 * key. */
#include "shared/auth/token_keys.h"

#include "shared/auth/token.h"
#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/base/text.h"

#include <cjose/util.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIELD_ELEMENT_LENGTH = 43, REREAD_AFTER_MICROS = 1000000 };

typedef struct KeySet {
    json_t *document; /* as read, to see whether the file changed */
    cjose_jwk_t *keys[KEY_FILE_MAX_KEYS];
    int n_keys;
} KeySet;

struct KeyFile {
    char *path;
    pthread_rwlock_t lock; /* held for reading while a key is out */
    KeySet set;
    _Atomic uint64_t generation;
    pthread_mutex_t reread_lock;
    int64_t read_at; /* monotonic; of the last attempt to read the file again, 0 before any */
};

static const Error *file_error(Arena *arena, const char *path, const char *problem)
{
    return error_new(arena, ERROR_FAILED_PRECONDITION, "TOKEN_KEYS_UNUSABLE",
        "The token key file %s cannot be used: %s.", path, problem);
}

/* 32 bytes in base64url. Checked here since libcjose's decoder ends the process (an assertion) over
 * some texts that are not base64url: a damaged file must not stop a running service. */
static bool is_field_element(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    return text && strlen(text) == FIELD_ELEMENT_LENGTH &&
           strspn(text, digits) == FIELD_ELEMENT_LENGTH;
}

static const char *member(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

/* A P-256 key with an id, NULL for any other. */
static cjose_jwk_t *import_key(json_t *json)
{
    bool has_shape = text_equal(member(json, "kty"), "EC") &&
                     text_equal(member(json, "crv"), "P-256") &&
                     is_field_element(member(json, "x")) && is_field_element(member(json, "y")) &&
                     (!json_object_get(json, "d") || is_field_element(member(json, "d")));
    cjose_jwk_t *key = has_shape ? cjose_jwk_import_json(json, NULL) : NULL;
    const char *key_id = key ? cjose_jwk_get_kid(key, NULL) : NULL;

    if (!text_is_empty(key_id) && strlen(key_id) <= KEY_ID_MAX_LENGTH)
        return key;
    cjose_jwk_release(key);
    return NULL;
}

static void release_set(KeySet *set)
{
    for (int i = 0; i < set->n_keys; i++)
        cjose_jwk_release(set->keys[i]);
    json_decref(set->document);
    *set = (KeySet){ 0 };
}

/* Keys of other kinds are passed over, as RFC 7517 asks; NULL, or why there is no key at all. */
static const char *read_set(const char *path, KeySet *set)
{
    json_error_t problem;
    json_t *json;
    size_t index;

    *set = (KeySet){ .document = json_load_file(path, JSON_REJECT_DUPLICATES, &problem) };
    if (!set->document)
        return problem.line < 0 ? strerror(errno) : "it is not JSON";
    json_array_foreach(json_object_get(set->document, "keys"), index, json)
    {
        cjose_jwk_t *key = set->n_keys < KEY_FILE_MAX_KEYS ? import_key(json) : NULL;

        if (key)
            set->keys[set->n_keys++] = key;
    }
    if (set->n_keys > 0)
        return NULL;
    release_set(set);
    return "it holds no P-256 key with a key id";
}

const Error *key_file_open(Arena *arena, const char *path, KeyFile **file)
{
    KeySet set;
    const char *problem = read_set(path, &set);
    KeyFile *opened;

    if (problem)
        return file_error(arena, path, problem);
    opened = calloc(1, sizeof(*opened));
    if (!opened || !(opened->path = strdup(path)))
        abort();
    opened->set = set;
    pthread_rwlock_init(&opened->lock, NULL);
    pthread_mutex_init(&opened->reread_lock, NULL);
    *file = opened;
    return NULL;
}

void key_file_close(KeyFile *file)
{
    if (!file)
        return;
    release_set(&file->set);
    pthread_rwlock_destroy(&file->lock);
    pthread_mutex_destroy(&file->reread_lock);
    free(file->path);
    free(file);
}

static const cjose_jwk_t *find_key(const KeySet *set, const char *key_id)
{
    for (int i = 0; i < set->n_keys; i++)
        if (text_equal(cjose_jwk_get_kid(set->keys[i], NULL), key_id))
            return set->keys[i];
    return NULL;
}

/* With an unreadable file the keys stay as they are: half a rotation must not lock everybody
 * out. */
static void reread(KeyFile *file)
{
    KeySet fresh;

    pthread_mutex_lock(&file->reread_lock);
    if (file->read_at == 0 || clock_monotonic() - file->read_at >= REREAD_AFTER_MICROS) {
        if (!read_set(file->path, &fresh)) {
            pthread_rwlock_wrlock(&file->lock);
            if (!json_equal(fresh.document, file->set.document)) {
                KeySet old = file->set;

                file->set = fresh;
                fresh = old;
                atomic_fetch_add(&file->generation, 1);
            }
            pthread_rwlock_unlock(&file->lock);
            release_set(&fresh);
        }
        file->read_at = clock_monotonic();
    }
    pthread_mutex_unlock(&file->reread_lock);
}

const cjose_jwk_t *key_file_borrow(KeyFile *file, const char *key_id)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        const cjose_jwk_t *key;

        pthread_rwlock_rdlock(&file->lock);
        key = find_key(&file->set, key_id);
        if (key)
            return key;
        pthread_rwlock_unlock(&file->lock);
        if (attempt == 0)
            reread(file);
    }
    return NULL;
}

void key_file_give_back(KeyFile *file)
{
    pthread_rwlock_unlock(&file->lock);
}

uint64_t key_file_generation(const KeyFile *file)
{
    return atomic_load(&file->generation);
}

const Error *key_read_private(Arena *arena, const char *path, cjose_jwk_t **key)
{
    json_error_t problem;
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
    bool is_private = json_is_string(json_object_get(document, "d"));

    if (!document)
        return file_error(arena, path, problem.line < 0 ? strerror(errno) : "it is not JSON");
    *key = is_private ? import_key(document) : NULL;
    json_decref(document);
    return *key ? NULL : file_error(arena, path, "it is not a private P-256 key with a key id");
}

/* Writes `text` where `path` says, whole or not at all. */
static const Error *write_file(Arena *arena, const char *path, mode_t mode, const char *text)
{
    char suffix[ID_SIZE];
    const char *beside;
    size_t size = strlen(text);
    int file;
    bool is_written;
    int problem;

    id_new(suffix);
    beside = arena_printf(arena, "%s.%s", path, suffix);
    file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0)
        return file_error(arena, path, strerror(errno));
    errno = ENOSPC; /* what a write that is cut short means */
    is_written =
        write(file, text, size) == (ssize_t)size && fsync(file) == 0 && rename(beside, path) == 0;
    problem = errno;
    close(file);
    if (is_written)
        return NULL;
    unlink(beside);
    return file_error(arena, path, strerror(problem));
}

/* The key as a JWK with what it may be used for. */
static json_t *describe_key(const cjose_jwk_t *key, bool is_private)
{
    char *text = cjose_jwk_to_json(key, is_private, NULL);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;

    if (text)
        cjose_get_dealloc()(text);
    if (json && json_object_set_new(json, "use", json_string("sig")) == 0 &&
        json_object_set_new(json, "alg", json_string("ES256")) == 0)
        return json;
    json_decref(json);
    return NULL;
}

const Error *token_keys_create(Arena *arena, const char *private_path, const char *public_path)
{
    cjose_jwk_t *key = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    json_t *private_half = NULL;
    json_t *public_half = NULL;
    char *private_text = NULL;
    char *public_text = NULL;
    char key_id[ID_SIZE];
    const Error *error;

    id_new(key_id);
    if (key && cjose_jwk_set_kid(key, key_id, strlen(key_id), NULL)) {
        private_half = describe_key(key, true);
        public_half = json_pack("{s:[o]}", "keys", describe_key(key, false));
        private_text = private_half ? json_dumps(private_half, JSON_INDENT(2)) : NULL;
        public_text = public_half ? json_dumps(public_half, JSON_INDENT(2)) : NULL;
    }
    if (!private_text || !public_text)
        error = file_error(arena, private_path, "no key could be made");
    else if (!(error = write_file(arena, private_path, 0600, private_text)))
        error = write_file(arena, public_path, 0644, public_text);
    if (private_text)
        explicit_bzero(private_text, strlen(private_text));
    free(private_text);
    free(public_text);
    json_decref(private_half);
    json_decref(public_half);
    cjose_jwk_release(key);
    return error;
}
