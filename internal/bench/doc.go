// Package bench measures the whole gateway against plain Caddy: its benchmark
// runs both in one process, in turns, on the same machine and in the same run.
// The ratio counts, never the absolute figures.
package bench
