/* Work that repeats, each on a thread of its own. */
#include "shared/service/running.h"

#include "shared/base/log.h"

#include <stdlib.h>

static const Error *run_once(RunningService *running, const ServiceJob *job, Arena *arena)
{
    RpcContext context = {
        .channel = "system",
        .actor = arena_printf(arena, "services/%s", running->service->name),
        .on_behalf_of = "",
        .device = "",
        .journey = "",
        .purpose = "",
    };
    RpcCall *call = rpc_internal_call(
        arena, arena_printf(arena, "jobs/%s", job->name), &context, &running->context);
    StoreView view = service_view(call, running->context.store);

    call->store = &view;
    return job->run(call);
}

static void *run(void *context)
{
    JobThread *thread = context;
    const ServiceJob *job = thread->job;
    Arena *arena = arena_new();

    while (!running_pause(thread->running, job->interval_ms)) {
        const Error *error = run_once(thread->running, job, arena);

        if (error)
            log_write(LOG_WARN, "job_failed",
                (const LogField[]){ { "job", .text = job->name },
                    { "reason", .text = error->reason }, { "message", .text = error->message },
                    { 0 } });
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

void jobs_start(RunningService *running)
{
    const Service *service = running->service;

    for (int i = 0; i < SERVICE_MAX_JOBS && service->jobs[i].name; i++) {
        JobThread *thread = &running->jobs[running->n_jobs++];

        *thread = (JobThread){ .running = running, .job = &service->jobs[i] };
        if (pthread_create(&thread->thread, NULL, run, thread))
            abort();
    }
}

void jobs_stop(RunningService *running)
{
    for (int i = 0; i < running->n_jobs; i++)
        pthread_join(running->jobs[i].thread, NULL);
    running->n_jobs = 0;
}
