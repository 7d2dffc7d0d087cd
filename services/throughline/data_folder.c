#include "services/throughline/data_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const Error *file_unwritable(Arena *arena, const char *path)
{
    return error_new(arena, ERROR_UNAVAILABLE, "FILE_UNWRITABLE", "%s cannot be written: %s.", path,
        strerror(errno));
}

const Error *data_folder_make(Arena *arena, const char *path)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        return file_unwritable(arena, path);
    return NULL;
}

const Error *data_folder_take(Arena *arena, const char *path)
{
    const char *lock = arena_printf(arena, "%s/up.lock", path);
    const Error *error = data_folder_make(arena, path);
    int fd;

    if (error)
        return error;
    /* The descriptor stays open: the lock goes with the process, however it ends. */
    fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_unwritable(arena, lock);
    if (!flock(fd, LOCK_EX | LOCK_NB))
        return NULL;
    error = errno == EWOULDBLOCK
                ? error_new(arena, ERROR_UNAVAILABLE, "DATA_IN_USE",
                      "The folder %s is in use by another `throughline up`: stop that one, or "
                      "choose another folder by --data.",
                      path)
                : file_unwritable(arena, lock);
    close(fd);
    return error;
}
