/* The catalogue as a service. */
#ifndef THROUGHLINE_SERVICES_CATALOG_CATALOG_SERVICE_H
#define THROUGHLINE_SERVICES_CATALOG_CATALOG_SERVICE_H

#include "shared/service/service.h"

extern const Service catalog_service;

#endif
