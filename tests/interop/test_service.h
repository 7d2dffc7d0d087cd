/* grpc.testing.TestService: the server side of gRPC's public interoperability cases. */
#ifndef THROUGHLINE_TESTS_INTEROP_TEST_SERVICE_H
#define THROUGHLINE_TESTS_INTEROP_TEST_SERVICE_H

#include "shared/rpc/call.h"

extern const RpcService test_rpcs;

#endif
