/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that would change something, but for what a notifier does (rename
 * and unlink: session.c). The public mount is read-only, so
 * only someone with a writable clone gets here; without these handlers the
 * answer would be ENOSYS.
 */
#define FUSE_USE_VERSION 312

#include "fs/refusals.h"
#include "base/log.h"

#include <errno.h>
#include <fuse_lowlevel.h>

static void refuse(fuse_req_t fuse, const char *kind, fuse_ino_t node)
{
	log_debug("request", "kind=%s node=%llu pid=%d", kind,
		  (unsigned long long)node, (int)fuse_req_ctx(fuse)->pid);
	fuse_reply_err(fuse, EROFS);
}

static void do_setattr(fuse_req_t fuse, fuse_ino_t node, struct stat *to,
		       int which, struct fuse_file_info *info)
{
	(void)to, (void)which, (void)info;
	refuse(fuse, "SETATTR", node);
}

static void do_mknod(fuse_req_t fuse, fuse_ino_t parent, const char *name,
		     mode_t mode, dev_t device)
{
	(void)name, (void)mode, (void)device;
	refuse(fuse, "MKNOD", parent);
}

static void do_mkdir(fuse_req_t fuse, fuse_ino_t parent, const char *name,
		     mode_t mode)
{
	(void)name, (void)mode;
	refuse(fuse, "MKDIR", parent);
}

static void do_rmdir(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	(void)name;
	refuse(fuse, "RMDIR", parent);
}

static void do_symlink(fuse_req_t fuse, const char *target, fuse_ino_t parent,
		       const char *name)
{
	(void)target, (void)name;
	refuse(fuse, "SYMLINK", parent);
}

static void do_link(fuse_req_t fuse, fuse_ino_t node, fuse_ino_t new_parent,
		    const char *new_name)
{
	(void)new_parent, (void)new_name;
	refuse(fuse, "LINK", node);
}

static void do_write(fuse_req_t fuse, fuse_ino_t node, const char *bytes,
		     size_t size, off_t offset, struct fuse_file_info *info)
{
	(void)bytes, (void)size, (void)offset, (void)info;
	refuse(fuse, "WRITE", node);
}

static void do_create(fuse_req_t fuse, fuse_ino_t parent, const char *name,
		      mode_t mode, struct fuse_file_info *info)
{
	(void)name, (void)mode, (void)info;
	refuse(fuse, "CREATE", parent);
}

static void do_setxattr(fuse_req_t fuse, fuse_ino_t node, const char *name,
			const char *bytes, size_t size, int flags)
{
	(void)name, (void)bytes, (void)size, (void)flags;
	refuse(fuse, "SETXATTR", node);
}

static void do_removexattr(fuse_req_t fuse, fuse_ino_t node, const char *name)
{
	(void)name;
	refuse(fuse, "REMOVEXATTR", node);
}

static void do_fallocate(fuse_req_t fuse, fuse_ino_t node, int mode,
			 off_t offset, off_t length,
			 struct fuse_file_info *info)
{
	(void)mode, (void)offset, (void)length, (void)info;
	refuse(fuse, "FALLOCATE", node);
}

void refusals_add(struct fuse_lowlevel_ops *operations)
{
	operations->setattr = do_setattr;
	operations->mknod = do_mknod;
	operations->mkdir = do_mkdir;
	operations->rmdir = do_rmdir;
	operations->symlink = do_symlink;
	operations->link = do_link;
	operations->write = do_write;
	operations->create = do_create;
	operations->setxattr = do_setxattr;
	operations->removexattr = do_removexattr;
	operations->fallocate = do_fallocate;
}
