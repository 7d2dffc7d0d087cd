#include "services/catalog/products/assortment_shelf.h"

#include "shared/codec/message.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct Slot {
    Arena *arena;                 /* the assortment's */
    const Assortment *assortment; /* NULL: deleted */
    const char *channel;
    int64_t version;
} Slot;

struct AssortmentShelf {
    pthread_rwlock_t lock;
    size_t n_slots;
    size_t capacity;
    Slot *slots; /* one a channel that ever had one */
};

AssortmentShelf *assortment_shelf_new(void)
{
    AssortmentShelf *shelf = calloc(1, sizeof(*shelf));

    if (!shelf)
        abort();
    pthread_rwlock_init(&shelf->lock, NULL);
    return shelf;
}

void assortment_shelf_free(AssortmentShelf *shelf)
{
    if (!shelf)
        return;
    for (size_t i = 0; i < shelf->n_slots; i++)
        arena_free(shelf->slots[i].arena);
    free(shelf->slots);
    pthread_rwlock_destroy(&shelf->lock);
    free(shelf);
}

static Slot *find(AssortmentShelf *shelf, const char *channel)
{
    for (size_t i = 0; i < shelf->n_slots; i++)
        if (text_equal(shelf->slots[i].channel, channel))
            return &shelf->slots[i];
    return NULL;
}

static Slot *add_slot(AssortmentShelf *shelf)
{
    if (shelf->n_slots == shelf->capacity) {
        shelf->capacity = shelf->capacity ? 2 * shelf->capacity : ASSORTMENT_MAX_CHANNELS;
        shelf->slots = reallocarray(shelf->slots, shelf->capacity, sizeof(*shelf->slots));
        if (!shelf->slots)
            abort();
    }
    shelf->slots[shelf->n_slots] = (Slot){ 0 };
    return &shelf->slots[shelf->n_slots++];
}

bool assortment_shelf_is_full(AssortmentShelf *shelf, const char *channel)
{
    size_t n_others = 0;
    const Slot *slot;
    bool has;

    pthread_rwlock_rdlock(&shelf->lock);
    for (size_t i = 0; i < shelf->n_slots; i++)
        n_others += shelf->slots[i].assortment != NULL;
    slot = find(shelf, channel);
    has = slot && slot->assortment;
    pthread_rwlock_unlock(&shelf->lock);
    return n_others >= ASSORTMENT_MAX_CHANNELS && !has;
}

void assortment_shelf_put(AssortmentShelf *shelf, const Assortment *assortment)
{
    Slot fresh = { .arena = arena_new() };
    Arena *gone = fresh.arena;
    Slot *slot;

    fresh.assortment = message_copy(fresh.arena, assortment);
    fresh.channel = assortment_channel(fresh.assortment->name);
    if (assortment->delete_time)
        fresh.assortment = NULL;
    (void)text_to_int64(assortment->etag, &fresh.version);
    pthread_rwlock_wrlock(&shelf->lock);
    slot = find(shelf, fresh.channel);
    if (!slot)
        slot = add_slot(shelf);
    if (slot->version < fresh.version) {
        gone = slot->arena;
        *slot = fresh;
    }
    pthread_rwlock_unlock(&shelf->lock);
    arena_free(gone);
}

void assortment_shelf_each(
    AssortmentShelf *shelf, AssortmentVisit visit, void *context, const char *path)
{
    pthread_rwlock_rdlock(&shelf->lock);
    for (size_t i = 0; i < shelf->n_slots; i++)
        if (shelf->slots[i].assortment)
            visit(context, shelf->slots[i].assortment, path);
    pthread_rwlock_unlock(&shelf->lock);
}

bool assortment_shelf_has(AssortmentShelf *shelf, const char *channel)
{
    const Slot *slot;
    bool has;

    pthread_rwlock_rdlock(&shelf->lock);
    slot = find(shelf, channel);
    has = slot && slot->assortment;
    pthread_rwlock_unlock(&shelf->lock);
    return has;
}

bool assortment_shelf_shows(
    AssortmentShelf *shelf, const char *channel, const char *name, ProductPaths paths)
{
    const Slot *slot;
    bool is_shown;

    pthread_rwlock_rdlock(&shelf->lock);
    slot = find(shelf, channel);
    is_shown = !slot || !slot->assortment || assortment_shows(slot->assortment, name, paths);
    pthread_rwlock_unlock(&shelf->lock);
    return is_shown;
}
