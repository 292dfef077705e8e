// Package localdb runs a private PostgreSQL cluster with PostGIS in a folder: the
// database Hatang uses when nobody gave it another one.
//
// Every process that uses the cluster holds a shared file lock on it. A small
// process of its own, the keeper, runs the server: it starts PostgreSQL, starts it
// again when it dies, waits until nobody holds the lock, stops PostgreSQL and ends.
// So kill -9 of a command neither drops the cluster for the others nor leaves it
// behind, and kill -9 of the keeper takes PostgreSQL down with it (Linux: parent
// death signal) until a user of the cluster starts the next keeper.
//
// The folder, called home below, holds
//
//	HATANG      marks the folder as ours
//	cluster     instead of all the rest: the path of the real home (see place.go)
//	data/       PostgreSQL's data folder, mode 0700
//	conf/       postgresql.conf, pg_hba.conf, pg_ident.conf, written at every start;
//	            local.conf there is the administrator's and is read last
//	log/        PostgreSQL's logs, the newest seven files of at most 10 MB
//	run/        the Unix socket, mode 0700; there is no TCP port
//	*.lock      users (shared), keeper, start, leave, serve
//	keeper.log  what the keeper did
//
// Decided: peer authentication with a map, because neither a password in a file nor
// trust protects a socket better than the kernel does. Decided: under root the
// server runs as the user postgres, because PostgreSQL refuses root; home stays
// root's (group postgres may pass through), so that the server cannot lead a
// process of root astray with links. Revisit when systemd units replace `serve`.
//
// Source: PostgreSQL 15 manual, chapters 19 (server setup), 20 (configuration),
// 21.2 (user name maps), 55.9 (postmaster.pid); flock(2), prctl(2) PR_SET_PDEATHSIG.
package localdb
