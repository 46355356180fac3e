/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_HEIR_H
#define KEEPER_HEIR_H

struct err;
struct session;

/*
 * The other side of inherit.h: a keeper that takes the mounts of another one.
 * Until they are its own it touches nothing of them, and if it ends, the other
 * one goes on.
 */

/*
 * Asks the keeper at the session's socket, and takes what it gives: for the
 * mount that was found; or of a folder each, which is found by its name. 0, or
 * negative errno with err filled.
 */
int heir_take(struct session *session, struct err *err);

/* What became of the other one after heir_take(), until it is told more. One
 * that is gone leaves the mounts to this one. */
enum forerunner { FORERUNNER_WAITS, FORERUNNER_WENT_ON, FORERUNNER_GONE };
enum forerunner heir_look(const struct session *session);

/* All is here, and a worker is awaited: the other one is told so, and commands
 * and workers find this one from now on. 0, or negative errno with err filled:
 * the other one has gone on. */
int heir_await(struct session *session, struct err *err);

/* There is a worker: the mounts are this one's, and it listens for commands and
 * workers. Nothing where there is no other one, or no longer. 0, or negative
 * errno with err filled: the other one has not waited. */
int heir_own(struct session *session, struct err *err);

#endif
