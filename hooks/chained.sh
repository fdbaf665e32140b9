# The hook that was here before runs beside this one, if git would have run it.
[ -x "$0.git-trace-chained" ] || exit 0
exec "$0.git-trace-chained" "$@"
