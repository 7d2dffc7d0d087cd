#include "tests/service/event/note_service.h"

int main(int argc, char **argv)
{
    return service_main(argc, argv, &note_service);
}
