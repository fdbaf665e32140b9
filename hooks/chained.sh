# The hook that was here before runs beside this one, under its own name, if git would have run it.
git_trace_hook=${0%.legacy}
git_trace_folder=${git_trace_hook%/*}/git-trace-chained
for git_trace_chained in "$git_trace_folder/${git_trace_hook##*/}" "$git_trace_hook.git-trace-chained"; do
  [ -x "$git_trace_chained" ] && exec "$git_trace_chained" "$@"
done
exit 0
