/* The demo's own catalogue, compiled in: JSON lines of products. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_DEMO_CATALOGUE_H
#define THROUGHLINE_SERVICES_THROUGHLINE_DEMO_CATALOGUE_H

extern const char demo_catalogue[];
extern const char demo_catalogue_end[];

#endif
