/* What the calls find: files of all kinds, with all kinds of owners and links. */
#include "alike.h"

static void put(const char *name, const char *text, int mode) {
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, mode)) exit(5);
    close(fd);
}

static void copy_program(const char *name, int mode) {
    int in = open("/proc/self/exe", O_RDONLY), out = open(name, O_WRONLY | O_CREAT | O_EXCL, 0700);
    while (sendfile(out, in, NULL, 1 << 20) > 0) {}
    close(in);
    close(out);
    chmod(name, mode);
}

static void own(const char *name, int owner) {
    if (privileged && lchown(name, owner, owner)) exit(6);
}

void populate(void) {
    char text[400];
    const struct { const char *name; int mode, owner; } folders[] = {
        {"d", 0755, 0}, {"d/e", 0777, OWNER}, {"e", 0755, OWNER}, {"t", 01777, 0}, {"g", 02777, OWNER},
        {"p", 0700, OWNER}, {"q", 0644, 0},
    };
    const struct { const char *name; int mode, owner; } files[] = {
        {"f", 0666, 0}, {"d/f", 0644, OWNER}, {"t/f", 0666, OWNER}, {"t/h", 0644, OTHER}, {"ro", 0444, OWNER}, {"e/f", 0600, OTHER},
        {"p/f", 0666, OWNER}, {"g/f", 0664, OTHER}, {"q/f", 0666, 0}, {"bare", 0644, 0}, {"garbage", 0755, 0}, {"e/ro", 0400, OWNER},
    };
    const char *links[][2] = {
        {"f", "l"}, {"d", "ld"}, {"none", "dang"}, {"d/none", "dangd"}, {"loop", "loop"}, {"..", "up"}, {"../f", "t/l"},
        {"new1", "t/dang"}, {"../d", "t/ld"}, {"t/l", "lt"}, {"../ld/e", "d/l"}, {"/dev/null", "null"}, {"prog", "lprog"},
    };
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (mkdir(folders[i].name, 0700)) exit(5);
        own(folders[i].name, folders[i].owner);
        chmod(folders[i].name, folders[i].mode);
    }
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(text, sizeof text, "this is %s", files[i].name);
        put(files[i].name, text, files[i].mode);
        own(files[i].name, files[i].owner);
    }
    for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
        if (symlink(links[i][0], links[i][1])) exit(5);
    own("t/l", OWNER);
    snprintf(text, sizeof text, "%s/d/f", place);
    symlink(text, "la");
    link("f", "h");
    mkfifo("fifo", 0666);
    mkfifo("d/fifo", 0600);
    mknod("sock", S_IFSOCK | 0666, 0);
    copy_program("prog", 0755);
    copy_program("d/prog", 0711);
    copy_program("set", 0755);
    own("set", OTHER);
    chmod("set", 06755);
    snprintf(text, sizeof text, "#!%s/prog with words\n", place);
    put("script", text, 0755);
    put("empty", "", 0755);
    own(".", OWNER);
    chmod(".", 0777);
    setxattr("f", "user.x", "before", 6, 0);
}
