#include "services/catalog/domain/draft.h"

#include "shared/codec/types.h"

static const Error draft_empty = { ERROR_FAILED_PRECONDITION, "DRAFT_EMPTY",
    "The draft changes nothing: put a change into it first." };
static const Error draft_full = { ERROR_RESOURCE_EXHAUSTED, "DRAFT_FULL",
    "A draft changes at most 10,000 rules in at most 1,000 calls by at most 100 people: make "
    "another one." };
static const Error four_eyes = { ERROR_PERMISSION_DENIED, "FOUR_EYES",
    "Whoever worked on a draft cannot approve it, whatever account they use: ask somebody else "
    "with an account of their own." };

static const char *state_name(const Draft *draft)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &throughline__catalog__v1__draft__state__descriptor, (int)draft->state);

    return value ? value->name : "unknown";
}

/* The draft is in another state than it must be in; `what` ends the sentence. */
static const Error *wrong_state(
    const Draft *draft, const char *reason, const char *what, Arena *arena)
{
    const Error *error = error_new(
        arena, ERROR_FAILED_PRECONDITION, reason, "The draft is %s: %s.", state_name(draft), what);

    return error_with_fact(arena, error, "state", state_name(draft));
}

static void touch(Draft *draft, int64_t now, Arena *arena)
{
    draft->update_time = timestamp_from_micros(arena, now);
}

static bool is_same_person(const Deed *a, const Deed *b)
{
    return text_equal(a->actor, b->actor) || text_equal(a->account, b->account);
}

/* False when there are too many. */
static bool add_author(Draft *draft, Deed *author, Arena *arena)
{
    for (size_t i = 0; i < draft->n_authors; i++)
        if (text_equal(draft->authors[i]->actor, author->actor) &&
            text_equal(draft->authors[i]->account, author->account))
            return true;
    if (draft->n_authors == DRAFT_MAX_AUTHORS)
        return false;
    draft->authors = arena_grow(
        arena, draft->authors, draft->n_authors, draft->n_authors + 1, sizeof(*draft->authors));
    draft->authors[draft->n_authors++] = author;
    return true;
}

void draft_open(Draft *draft, const char *name, const char *title, const char *reason, Deed *author,
    Arena *arena)
{
    draft->name = arena_text(arena, name);
    draft->state = DRAFT_OPEN;
    draft->title = arena_text(arena, title);
    draft->reason = arena_text(arena, reason);
    draft->create_time = author->time;
    draft->update_time = author->time;
    add_author(draft, author, arena);
}

const Error *draft_check_open(const Draft *draft, Arena *arena)
{
    return draft->state == DRAFT_OPEN
               ? NULL
               : wrong_state(draft, "DRAFT_NOT_OPEN", "withdraw it first", arena);
}

const Error *draft_change(Draft *draft, const char *part, size_t count, Deed *author, Arena *arena)
{
    const Error *error;

    if ((error = draft_check_open(draft, arena)))
        return error;
    if (count > DRAFT_MAX_CHANGES || draft->n_parts == DRAFT_MAX_PARTS ||
        !add_author(draft, author, arena))
        return &draft_full;
    draft->parts =
        arena_grow(arena, draft->parts, draft->n_parts, draft->n_parts + 1, sizeof(*draft->parts));
    draft->parts[draft->n_parts++] = arena_text(arena, part);
    draft->change_count = (int32_t)count;
    draft->update_time = author->time;
    return NULL;
}

const Error *draft_submit(Draft *draft, Deed *submission, Arena *arena)
{
    const Error *error;

    if ((error = draft_check_open(draft, arena)))
        return error;
    if (!draft->change_count)
        return &draft_empty;
    draft->state = DRAFT_SUBMITTED;
    draft->submission = submission;
    draft->update_time = submission->time;
    return NULL;
}

const Error *draft_withdraw(Draft *draft, Deed *author, Arena *arena)
{
    if (draft->state == DRAFT_PUBLISHING || draft->state == DRAFT_PUBLISHED)
        return wrong_state(
            draft, "DRAFT_FINAL", "roll the release back, or make another draft", arena);
    if (!add_author(draft, author, arena))
        return &draft_full;
    draft->state = DRAFT_OPEN;
    draft->submission = NULL;
    draft->approval = NULL;
    draft->rejection = NULL;
    draft->publication = NULL;
    draft->publish_time = NULL;
    draft->refusal = arena_text(arena, "");
    draft->update_time = author->time;
    return NULL;
}

static const Error *check_submitted(const Draft *draft, Arena *arena)
{
    return draft->state == DRAFT_SUBMITTED
               ? NULL
               : wrong_state(draft, "DRAFT_NOT_SUBMITTED",
                     "only what was submitted can be approved or sent back", arena);
}

const Error *draft_approve(Draft *draft, Deed *approval, Arena *arena)
{
    const Error *error;

    if ((error = check_submitted(draft, arena)))
        return error;
    if (is_same_person(draft->submission, approval))
        return &four_eyes;
    for (size_t i = 0; i < draft->n_authors; i++)
        if (is_same_person(draft->authors[i], approval))
            return &four_eyes;
    draft->state = DRAFT_APPROVED;
    draft->approval = approval;
    draft->update_time = approval->time;
    return NULL;
}

const Error *draft_reject(Draft *draft, Deed *rejection, Arena *arena)
{
    const Error *error;

    if ((error = check_submitted(draft, arena)))
        return error;
    draft->state = DRAFT_REJECTED;
    draft->rejection = rejection;
    draft->update_time = rejection->time;
    return NULL;
}

static const Error *check_approved(const Draft *draft, Arena *arena)
{
    return draft->state == DRAFT_APPROVED || draft->state == DRAFT_SCHEDULED
               ? NULL
               : wrong_state(
                     draft, "DRAFT_NOT_APPROVED", "only what was approved can be published", arena);
}

const Error *draft_schedule(Draft *draft, int64_t publish_time, Deed *publication, Arena *arena)
{
    const Error *error;

    if ((error = check_approved(draft, arena)))
        return error;
    draft->state = DRAFT_SCHEDULED;
    draft->publish_time = timestamp_from_micros(arena, publish_time);
    draft->publication = publication;
    draft->update_time = publication->time;
    return NULL;
}

const Error *draft_begin(Draft *draft, Deed *publication, Arena *arena)
{
    const Error *error;

    if ((error = check_approved(draft, arena)))
        return error;
    draft->state = DRAFT_PUBLISHING;
    draft->publication = publication;
    draft->update_time = publication->time;
    return NULL;
}

void draft_finish(Draft *draft, int64_t release, int64_t now, Arena *arena)
{
    draft->state = DRAFT_PUBLISHED;
    draft->release = release;
    touch(draft, now, arena);
}

void draft_return(Draft *draft, int64_t now, Arena *arena)
{
    draft->state = DRAFT_APPROVED;
    draft->publication = NULL;
    draft->publish_time = NULL;
    touch(draft, now, arena);
}

void draft_refuse(Draft *draft, const char *refusal, int64_t now, Arena *arena)
{
    draft->state = DRAFT_REFUSED;
    draft->refusal = arena_text(arena, refusal);
    touch(draft, now, arena);
}

void draft_release(const Draft *draft, Release *release)
{
    release->kind = RELEASE_OF_DRAFT;
    release->draft = draft->name;
    release->title = draft->title;
    release->reason = draft->reason;
    release->submission = draft->submission;
    release->approval = draft->approval;
    release->publication = draft->publication;
}
