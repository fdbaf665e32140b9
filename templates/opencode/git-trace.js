// Hands what happens in a session to git trace (https://opencode.ai/docs/plugins).
// Installed by 'git trace enable --agent opencode'; 'git trace disable --agent opencode' removes it.

import { spawn } from "node:child_process"

export const GitTrace = async ({ directory }) => {
  const told = new Set()
  let last

  // Waits for the program, which takes milliseconds, so that 'opencode run' does not end before it.
  const tell = (event, session, more) =>
    new Promise((resolve) => {
      try {
        const payload = { hook_event_name: event, session_id: session, cwd: directory, ...more }
        const stdio = ["pipe", "ignore", "ignore"]
        const child = spawn("git-trace", ["hook", "opencode", event], { cwd: directory, stdio, timeout: 5000 })
        child.on("error", resolve)
        child.on("close", resolve)
        child.stdin.on("error", () => {})
        child.stdin.end(JSON.stringify(payload))
      } catch {
        resolve()
      }
    })

  // What an event means, in the words of Claude Code's hooks; nothing for those that do not matter.
  const meaning = (type, properties, info) => {
    switch (type) {
      case "session.created":
        return "SessionStart"
      case "message.updated":
        // A message of the user's is updated more than once.
        if (info.role !== "user" || told.has(info.id)) return
        told.add(info.id)
        return "UserPromptSubmit"
      case "session.status":
        return properties.status?.type === "idle" ? "Stop" : undefined
      case "session.idle":
        return "Stop"
      case "session.compacted":
        return "PostCompact"
      case "session.deleted":
      case "server.instance.disposed":
        return "SessionEnd"
    }
  }

  return {
    event: async ({ event }) => {
      try {
        const properties = event.properties ?? {}
        const info = properties.info ?? {}
        const name = meaning(event.type, properties, info)
        const own = event.type.startsWith("session.") ? info.id : info.sessionID
        const session = properties.sessionID ?? own ?? last
        if (!name || !session) return
        last = session
        await tell(name, session, { parent_session_id: info.parentID })
      } catch {
        // Nothing that goes wrong here may disturb the session.
      }
    },
    "tool.execute.after": async (input) => {
      if (input?.sessionID) await tell("PostToolUse", input.sessionID, { tool_name: input.tool, tool_use_id: input.callID })
    },
  }
}
