# Shared by the scripts beside it; sourced, never run.

fail() {
	printf 'hatang: %s\n' "$*" >&2
	exit 1
}

# step SENTENCE COMMAND…: runs a long quiet command, shows every 15 s that it is alive, and shows
# the end of what it wrote only if it fails.
step() {
	local say=$1 log began=$SECONDS job rc=0
	shift
	log=$(mktemp)
	echo "==> $say"
	"$@" >"$log" 2>&1 &
	job=$!
	while kill -0 "$job" 2>/dev/null; do
		sleep 0.2
		if ((SECONDS - began >= 15 && (SECONDS - began) % 15 == 0 && SECONDS != ${said:-0})); then
			said=$SECONDS
			echo "    … $((SECONDS - began)) s"
		fi
	done
	wait "$job" || rc=$?
	if [ $rc -ne 0 ]; then
		tail -n 40 "$log" >&2
		rm -f "$log"
		fail "$say: failed with status $rc after $((SECONDS - began)) s"
	fi
	rm -f "$log"
	((SECONDS - began < 2)) || echo "    done in $((SECONDS - began)) s"
}
