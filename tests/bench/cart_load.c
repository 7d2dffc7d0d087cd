/* Callers that put lines into carts, each into its own and waiting for each answer. Checks that
 * every answer holds what was put in so far. Prints what it did as one line of JSON. */
#include "shared/base/clock.h"
#include "shared/base/config.h"
#include "shared/base/id.h"
#include "shared/base/text.h"
#include "shared/rpc/client.h"

#include "throughline/cart/v1/cart.pb-c.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Throughline__Cart__V1__Cart Cart;
typedef Throughline__Cart__V1__CreateCartRequest CreateCartRequest;
typedef Throughline__Cart__V1__AddLineRequest AddLineRequest;

enum { PATIENCE_MICROS = 60000000 };

static const Setting settings[] = {
    { "target", SETTING_TEXT, "", "the cart service" },
    { "token-file", SETTING_TEXT, "", "with the token of a channel's account" },
    { "channel", SETTING_TEXT, "web", "the account's channel" },
    { "skus", SETTING_TEXT, "", "what is put in, by turns: \"A B C\"" },
    { "currency", SETTING_TEXT, "EUR", "of the carts" },
    { "callers", SETTING_NUMBER, "64", "threads, each with a cart", 1, 1024 },
    { "calls", SETTING_NUMBER, "10000", "AddLine calls of all callers together", 1, 100000000 },
    { 0 },
};

static const Error answer_wrong = { ERROR_DATA_LOSS, "ANSWER_WRONG",
    "The cart in an answer does not hold what was put into it." };
static const ProtobufCServiceDescriptor *const carts =
    &throughline__cart__v1__cart_service__descriptor;

typedef struct Load {
    RpcClient *client;
    const char *channel, *currency;
    char *const *skus;
    int n_skus, callers;
    int64_t calls, run; /* run: tells the actors of this run from those of others */
    pthread_barrier_t opened;
} Load;

typedef struct LoadCaller {
    Load *load;
    pthread_t thread;
    int number;
    const Error *error;
    char reason[64];
} LoadCaller;

static RpcOutgoing outgoing_of(const LoadCaller *caller, Arena *arena)
{
    return (RpcOutgoing){
        .arena = arena,
        .deadline = clock_monotonic() + PATIENCE_MICROS,
        .context = { .channel = caller->load->channel,
            .actor = arena_printf(
                arena, "anonymous/bench-%lld-%d", (long long)caller->load->run, caller->number) },
    };
}

static const Error *open_cart(const LoadCaller *caller, Arena *arena, char **name)
{
    CreateCartRequest request = THROUGHLINE__CART__V1__CREATE_CART_REQUEST__INIT;
    Cart cart = THROUGHLINE__CART__V1__CART__INIT;
    RpcOutgoing outgoing = outgoing_of(caller, arena);
    const Error *error;

    request.currency = (char *)caller->load->currency;
    error = rpc_client_call(caller->load->client, &outgoing, carts, "CreateCart", &request, &cart);
    *name = cart.name;
    return error;
}

static int64_t pieces_in(const Cart *cart)
{
    int64_t pieces = 0;

    for (size_t i = 0; i < cart->n_lines; i++)
        pieces += cart->lines[i]->quantity;
    return pieces;
}

static const Error *add_line(const LoadCaller *caller, Arena *arena, char *cart_name, int64_t i)
{
    const Load *load = caller->load;
    AddLineRequest request = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;
    Cart cart = THROUGHLINE__CART__V1__CART__INIT;
    RpcOutgoing outgoing = outgoing_of(caller, arena);
    uint8_t request_id[16]; /* as random as a UUID */
    const Error *error;

    request.cart = cart_name;
    request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU;
    request.sku = load->skus[i % load->n_skus];
    request.quantity = 1;
    id_random(request_id, sizeof(request_id));
    request.request_id = text_hex(arena, request_id, sizeof(request_id));
    if ((error = rpc_client_call(load->client, &outgoing, carts, "AddLine", &request, &cart)))
        return error;
    return pieces_in(&cart) == i + 1 ? NULL : &answer_wrong;
}

static void *put_lines(void *context)
{
    LoadCaller *caller = context;
    Load *load = caller->load;
    int64_t share = load->calls / load->callers + (caller->number < load->calls % load->callers);
    Arena *own = arena_new(), *arena = arena_new();
    char *cart = NULL;

    caller->error = open_cart(caller, own, &cart);
    pthread_barrier_wait(&load->opened);
    pthread_barrier_wait(&load->opened);
    for (int64_t i = 0; i < share && !caller->error; i++) {
        caller->error = add_line(caller, arena, cart, i);
        if (!caller->error)
            arena_reset(arena);
    }
    if (caller->error)
        snprintf(caller->reason, sizeof(caller->reason), "%s", caller->error->reason);
    arena_free(arena);
    arena_free(own);
    return NULL;
}

static int split_skus(Arena *arena, const char *text, char ***skus)
{
    char *rest = arena_text(arena, text), *sku;
    int n = 0;

    *skus = arena_array(arena, strlen(text) + 1, sizeof(**skus));
    while ((sku = strtok_r(rest, " ", &rest)))
        (*skus)[n++] = sku;
    return n;
}

/* Says when the carts are open, and goes on at a line of input: the driver looks at the clocks in
 * between. */
static bool run_callers(Arena *arena, Load *load, double *seconds)
{
    LoadCaller *callers = arena_array(arena, (size_t)load->callers, sizeof(*callers));
    bool is_good = true;
    int64_t start;

    pthread_barrier_init(&load->opened, NULL, (unsigned)load->callers + 1);
    for (int i = 0; i < load->callers; i++) {
        callers[i] = (LoadCaller){ .load = load, .number = i };
        if (pthread_create(&callers[i].thread, NULL, put_lines, &callers[i]))
            abort();
    }
    pthread_barrier_wait(&load->opened);
    printf("{\"carts\":%d}\n", load->callers);
    fflush(stdout);
    getchar();
    start = clock_monotonic();
    pthread_barrier_wait(&load->opened);
    for (int i = 0; i < load->callers; i++) {
        pthread_join(callers[i].thread, NULL);
        if (callers[i].error && is_good)
            fprintf(stderr, "cart_load: %s\n", callers[i].reason);
        is_good = is_good && !callers[i].error;
    }
    *seconds = (double)(clock_monotonic() - start) / 1e6;
    pthread_barrier_destroy(&load->opened);
    return is_good;
}

static int run(Arena *arena, const Config *config)
{
    RpcClientOptions options = { .target = config_text(config, "target"),
        .token_file = config_text(config, "token-file") };
    Load load = {
        .channel = config_text(config, "channel"),
        .currency = config_text(config, "currency"),
        .callers = (int)config_number(config, "callers"),
        .calls = config_number(config, "calls"),
        .run = clock_now(),
    };
    char **skus;
    double seconds;
    bool is_good;

    load.n_skus = split_skus(arena, config_text(config, "skus"), &skus);
    load.skus = skus;
    if (!load.n_skus) {
        fprintf(stderr, "cart_load: --skus names nothing\n");
        return 2;
    }
    load.client = rpc_client_open(arena, &options);
    is_good = run_callers(arena, &load, &seconds);
    rpc_client_close(load.client);
    printf("{\"calls\":%lld,\"seconds\":%.6f}\n", (long long)load.calls, seconds);
    return is_good ? 0 : 1;
}

int main(int argc, char **argv)
{
    const Setting *const tables[] = { settings, NULL };
    Arena *arena = arena_new();
    const Config *config = config_read(arena, tables, argc, argv, stderr);
    int code = config ? run(arena, config) : 2;

    arena_free(arena);
    return code;
}
