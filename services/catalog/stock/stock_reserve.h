/* Reserving: all lines or none, never more than there is. */
#ifndef THROUGHLINE_CATALOG_STOCK_RESERVE_H
#define THROUGHLINE_CATALOG_STOCK_RESERVE_H

#include "services/catalog/stock/stock_store.h"

typedef Throughline__Catalog__V1__ReserveRequest ReserveRequest;

/* The request is valid; `reservation` is the call's reply. */
const Error *stock_reserve(RpcCall *call, const ReserveRequest *request, Reservation *reservation);

#endif
