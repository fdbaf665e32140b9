// Hands what happens in a session to git trace (https://opencode.ai/docs/plugins).
// Installed by 'git trace enable --agent opencode'; 'git trace disable --agent opencode' removes it.

import { spawn } from "node:child_process"

const PASSED_ON = new Set([
  "session.created",
  "session.status",
  "session.idle",
  "session.compacted",
  "session.deleted",
  "server.instance.disposed",
])

export const GitTrace = async ({ directory }) => {
  const told = new Set()
  let last

  // Waits for the program, which takes milliseconds, so that 'opencode run' does not end before it.
  const tell = (event, session, properties) =>
    new Promise((resolve) => {
      try {
        const child = spawn("git-trace", ["hook", "opencode", event], {
          cwd: directory,
          stdio: ["pipe", "ignore", "ignore"],
          timeout: 5000,
        })
        child.on("error", resolve)
        child.on("close", resolve)
        child.stdin.on("error", () => {})
        child.stdin.end(JSON.stringify({ hook_event_name: event, session_id: session, cwd: directory, ...properties }))
      } catch {
        resolve()
      }
    })

  return {
    event: async ({ event }) => {
      try {
        const properties = event.properties ?? {}
        const info = properties.info ?? {}
        const session = properties.sessionID ?? info.sessionID ?? (event.type.startsWith("session.") ? info.id : last)
        if (!session) return
        last = session
        // A message of the user's is told once, when it is first seen.
        if (event.type === "message.updated" && info.role === "user" && !told.has(info.id)) {
          told.add(info.id)
          await tell(event.type, session, { message_id: info.id })
        }
        if (!PASSED_ON.has(event.type)) return
        if (event.type === "session.status" && properties.status?.type !== "idle") return
        await tell(event.type, session, { parent_id: info.parentID })
      } catch {
        // Nothing that goes wrong here may disturb the session.
      }
    },
  }
}
