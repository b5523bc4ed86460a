/**
 * The engine as a systemd service.
 *
 * `KillMode=process` and `Delegate=yes` let containers outlive it: stopping or restarting the unit ends the engine alone, and systemd leaves
 * the cgroups below it in peace. Source: systemd.service(5), systemd.kill(5), systemd.resource-control(5).
 *
 * @param command the program and its arguments, the first an absolute path.
 */
export function unitText(command: readonly string[]): string {
  return `[Unit]
Description=Gantry container engine
After=network-online.target nss-lookup.target firewalld.service time-set.target
Wants=network-online.target
StartLimitIntervalSec=60
StartLimitBurst=3

[Service]
Type=exec
ExecStart=${command.map(quote).join(' ')}
ExecReload=/bin/kill -s HUP $MAINPID
KillMode=process
Delegate=yes
Restart=always
RestartSec=2
TimeoutStartSec=infinity
TasksMax=infinity
LimitNOFILE=1048576
LimitNPROC=infinity
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
`;
}

/** A word for ExecStart: in quotes where it must be, and with what systemd would replace doubled. */
function quote(word: string): string {
  const literal = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  if (/^[\w@:.,/=+%$-]+$/.test(literal)) return literal;
  const escaped = literal.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `"${escaped}"`;
}
