/* A service of notes, and a mirror that consumes its events: what tests of the event and service
 * layers start. */
#ifndef THROUGHLINE_TESTS_SERVICE_EVENT_NOTE_SERVICE_H
#define THROUGHLINE_TESTS_SERVICE_EVENT_NOTE_SERVICE_H

#include "shared/service/service.h"

#include "throughline/echo/v1/note.pb-c.h"

#include <stdatomic.h>

typedef Throughline__Echo__V1__Note Note;
typedef Throughline__Echo__V1__NoteWritten NoteWritten;
typedef Throughline__Echo__V1__Tally Tally;
typedef Throughline__Echo__V1__WriteNoteRequest WriteNoteRequest;
typedef Throughline__Echo__V1__GetNoteRequest GetNoteRequest;
typedef Throughline__Echo__V1__WatchNoteRequest WatchNoteRequest;
typedef Throughline__Echo__V1__WatchNoteResponse WatchNoteResponse;

extern const Service note_service;
extern const Service mirror_service;
/* Like the mirror, but it takes several events at once and keeps a tally of every note. */
extern const Service album_service;

extern const Collection notes;
extern const Collection tallies;

/* Called once, by the next call that writes the text "once", between what it loads and what it decides; NULL: nothing. */
extern void (*_Atomic note_meanwhile)(void);

/* Every how many-th event the mirror fails, before and after its effect in turn; 0: none. */
extern atomic_int mirror_fails_every;

/* The mirror fails on every event. */
extern atomic_bool mirror_is_stuck;

/* The most events that the album has been given at once. */
extern atomic_int album_most;

#endif
