/* The program of identity. */
#include "services/identity/identity_service.h"

int main(int argc, char **argv)
{
    return service_main(argc, argv, &identity_service);
}
