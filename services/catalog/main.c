/* The catalogue as a program. */
#include "services/catalog/catalog_service.h"

int main(int argc, char **argv)
{
    return service_main(argc, argv, &catalog_service);
}
