/* What the test programs share: counting what holds, and small texts. */
#ifndef CHECK_H
#define CHECK_H

#include <mcpgraft.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

#define CHECK(what) check((what) ? 1 : 0, #what, __FILE__, __LINE__)

static inline int check(int holds, const char *what, const char *file, int line)
{
    if (holds) {
        passed++;
    } else {
        failed++;
        fprintf(stderr, "%s:%d: %s\n", file, line, what);
    }
    return holds;
}

static inline struct mcpgraft_str str(const char *text)
{
    struct mcpgraft_str view;
    view.ptr = text;
    view.len = text == NULL ? 0 : strlen(text);
    return view;
}

static inline int is(struct mcpgraft_str view, const char *text)
{
    return view.ptr != NULL && view.len == strlen(text) && memcmp(view.ptr, text, view.len) == 0;
}

static inline struct mcpgraft_event fresh(void)
{
    struct mcpgraft_event event;
    memset(&event, 0, sizeof event);
    event.struct_size = sizeof event;
    return event;
}

static inline int summary(const char *program)
{
    printf("%s: %d passed, %d failed\n", program, passed, failed);
    return failed != 0 || passed == 0;
}

#endif
