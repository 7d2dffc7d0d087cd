/* The program of feedback. */
#include "services/feedback/feedback_service.h"

int main(int argc, char **argv)
{
    return service_main(argc, argv, &feedback_service);
}
