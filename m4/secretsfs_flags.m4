# SECRETSFS_COMPILE_FLAGS(VARIABLE, FLAGS), SECRETSFS_LINK_FLAGS(VARIABLE, FLAGS)
# Appends each flag that compiler or linker takes without a warning. Linker
# flags have commas in them, so a flag stays quoted until it is used.

AC_DEFUN([SECRETSFS_TRY_FLAG], [
	AS_VAR_PUSHDEF([known], [secretsfs_cv_$1_$3])
	AC_CACHE_CHECK([whether $1 can hold $3], [known], [
		secretsfs_saved_cflags=$CFLAGS
		secretsfs_saved_ldflags=$LDFLAGS
		# the flags so far stay: some are refused without another one
		$2="$$2 $$1 -Werror $3"
		AC_LINK_IFELSE([AC_LANG_PROGRAM()],
			[AS_VAR_SET([known], [yes])], [AS_VAR_SET([known], [no])])
		CFLAGS=$secretsfs_saved_cflags
		LDFLAGS=$secretsfs_saved_ldflags
	])
	AS_VAR_IF([known], [yes], [AS_VAR_APPEND([$1], [" $3"])])
	AS_VAR_POPDEF([known])
])

AC_DEFUN([SECRETSFS_COMPILE_FLAGS],
	[m4_foreach_w([flag], [$2], [SECRETSFS_TRY_FLAG([$1], [CFLAGS],
		m4_defn([flag]))])])

AC_DEFUN([SECRETSFS_LINK_FLAGS],
	[m4_foreach_w([flag], [$2], [SECRETSFS_TRY_FLAG([$1], [LDFLAGS],
		m4_defn([flag]))])])
