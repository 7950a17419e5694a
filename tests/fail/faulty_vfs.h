/* A SQLite VFS that does the real work through the default one and fails when told to: the n-th
 * operation that reaches the disk, and every one after it until it is healed. */
#ifndef SKY_TESTS_FAULTY_VFS_H
#define SKY_TESTS_FAULTY_VFS_H

#include <stdbool.h>

enum faulty_mode {
    FAULTY_IO,   /* a read, write, sync or truncate reports an I/O error */
    FAULTY_FULL, /* a write reports a full disk */
};

/* Becomes SQLite's default VFS, healthy at first. */
void faulty_vfs_register(void);
/* Fails from the n-th operation of that kind on, counted from now; `only_once`: just that one. */
void faulty_vfs_arm(enum faulty_mode mode, int n, bool only_once);
void faulty_vfs_heal(void);
/* Did an operation fail since it was armed? */
bool faulty_vfs_fired(void);

#endif
