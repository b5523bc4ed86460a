import assert from 'node:assert/strict';
import { onBoth } from '../support/both.ts';
import { run } from '../support/containers.ts';
import type { Target } from '../support/target.ts';

/** Something that is asked of a container's walls, and the reason why it is not had. */
interface Row {
  host?: object;
  config?: object;
  /** Of the text; dockerd often has a runtime's words before it. */
  says: RegExp;
  /** What dockerd 20.10 says where today's says what we do; `accepts`: it does not look yet, or it ignores the field. */
  old?: RegExp | 'accepts';
}

const ids = /uids and gids must be in range 0-2147483647$/;
const joined = { NetworkMode: 'container:donor' };

const ROWS: readonly Row[] = [
  // Modes.
  { host: { IpcMode: 'wrong' }, says: /^invalid IPC mode: wrong$/, old: /^Invalid IPC mode: wrong$/ },
  { host: { PidMode: 'wrong' }, says: /^invalid PID mode: wrong$/, old: 'accepts' },
  { host: { UTSMode: 'container:donor' }, says: /^invalid UTS mode: container:donor$/, old: 'accepts' },
  { host: { UsernsMode: 'private' }, says: /^invalid user namespace mode: private$/, old: 'accepts' },
  { host: { CgroupnsMode: 'wrong' }, says: /^invalid cgroup namespace mode: wrong$/ },
  { host: { Cgroup: 'container:donor' }, says: /^invalid cgroup mode: container:donor: /, old: 'accepts' },
  {
    host: { NetworkMode: 'container:' },
    says: /^invalid network mode: invalid container format container:<name\|id>$/i,
  },
  { host: { Isolation: 'hyperv' }, says: /^Invalid isolation: "hyperv" - linux only supports 'default'$/ },
  {
    host: { Runtime: 'nope' },
    says: /^unknown or invalid runtime name: nope$/,
    old: /^Unknown runtime specified nope$/,
  },
  // What a container in another's network cannot have of its own.
  { host: joined, config: { Hostname: 'h' }, says: /^conflicting options: hostname and the network mode$/ },
  {
    host: { ...joined, Links: ['donor:x'] },
    says: /^conflicting options: container type network can't be used with links/,
  },
  {
    host: { NetworkMode: 'host', Links: ['donor:x'] },
    says: /^conflicting options: host type networking can't be used with/,
  },
  { host: { ...joined, Dns: ['192.0.2.1'] }, says: /^conflicting options: dns and the network mode$/ },
  {
    host: { ...joined, ExtraHosts: ['a:192.0.2.1'] },
    says: /^conflicting options: custom host-to-IP mapping and the network/,
  },
  {
    host: { ...joined, PublishAllPorts: true },
    says: /^conflicting options: port publishing and the container type network/,
  },
  {
    host: { ...joined, PortBindings: { '80/tcp': [{ HostPort: '' }] } },
    says: /^conflicting options: port publishing and the container type network mode$/,
  },
  {
    host: joined,
    config: { ExposedPorts: { '80/tcp': {} } },
    says: /^conflicting options: port exposing and the container type/,
  },
  {
    host: joined,
    config: { MacAddress: '02:42:ac:11:00:05' },
    says: /^conflicting options: mac-address and the network mode$/,
  },
  {
    host: { NetworkMode: 'host' },
    config: { MacAddress: '02:42:ac:11:00:05' },
    says: /^conflicting options: mac-address and the network mode$/,
  },
  { host: { UTSMode: 'host' }, config: { Hostname: 'h' }, says: /^conflicting options: hostname and the UTS mode$/ },
  // Kernel settings that are not the container's own.
  {
    host: { Sysctls: { 'kernel.shmmax': '1' }, IpcMode: 'host' },
    says: /sysctl "kernel.shmmax" is not allowed in the hosts ipc/,
  },
  {
    host: { Sysctls: { 'fs.mqueue.msg_max': '9' }, IpcMode: 'host' },
    says: /sysctl "fs.mqueue.msg_max" is not allowed in the hosts/,
  },
  {
    host: { Sysctls: { 'net.ipv4.ip_forward': '1' }, NetworkMode: 'host' },
    says: /sysctl "net.ipv4.ip_forward" not allowed in host network namespace/,
  },
  {
    host: { Sysctls: { 'kernel.domainname': 'x' }, UTSMode: 'host' },
    says: /sysctl "kernel.domainname" is not in a separate/,
  },
  {
    host: { UTSMode: 'host' },
    config: { Domainname: 'd' },
    says: /sysctl "kernel.domainname" is not in a separate kernel/,
  },
  { host: { Sysctls: { 'kernel.panic': '1' } }, says: /sysctl "kernel.panic" is not in a separate kernel namespace/ },
  { host: { Sysctls: { 'vm.swappiness': '1' } }, says: /sysctl "vm.swappiness" is not in a separate kernel namespace/ },
  {
    host: { Sysctls: { 'kernel.hostname': 'x' } },
    says: /sysctl "kernel.hostname" is not allowed as it conflicts with the OCI/,
  },
  { host: { Sysctls: { 'net.ipv4.nope': '1' } }, says: /open \/proc\/sys\/net\/ipv4\/nope: no such file or directory/ },
  { host: { Sysctls: { 'kernel.shmmax': 'x' } }, says: /write \/proc\/sys\/kernel\/shmmax: invalid argument/ },
  // Security options.
  { host: { SecurityOpt: ['wrong'] }, says: /^invalid --security-opt 1: "wrong"$/ },
  { host: { SecurityOpt: ['wrong=x'] }, says: /^invalid --security-opt 2: "wrong=x"$/ },
  { host: { SecurityOpt: ['no-new-privileges=maybe'] }, says: /^invalid --security-opt 2: "no-new-privileges=maybe"$/ },
  { host: { SecurityOpt: ['systempaths=unconfined'] }, says: /^invalid --security-opt 2: "systempaths=unconfined"$/ },
  { host: { SecurityOpt: ['seccomp={'] }, says: /^Decoding seccomp profile failed: / },
  { host: { SecurityOpt: ['seccomp=/no/file'] }, says: /^Decoding seccomp profile failed: / },
  { host: { SecurityOpt: ['seccomp=[]'] }, says: /^Decoding seccomp profile failed: / },
  {
    host: { SecurityOpt: ['seccomp={"defaultAction":"WRONG"}'] },
    says: /string WRONG is not a valid action for seccomp/,
  },
  // Where the host has no such module dockerd forgets the option; we say that it cannot be.
  {
    host: { SecurityOpt: ['apparmor=mine'] },
    says: /"apparmor=mine": AppArmor is not enabled on this host$/,
    old: 'accepts',
  },
  // Capabilities, devices.
  { host: { CapAdd: ['nope'] }, says: /^invalid CapAdd: unknown capability: "CAP_NOPE"$/ },
  { host: { CapDrop: ['nope'] }, says: /^invalid CapDrop: unknown capability: "CAP_NOPE"$/ },
  { host: { DeviceCgroupRules: ['wrong'] }, says: /^invalid device cgroup rule format: 'wrong'$/ },
  { host: { DeviceCgroupRules: ['c 1:3 rwmx'] }, says: /^invalid device cgroup rule format: 'c 1:3 rwmx'$/ },
  {
    host: { DeviceCgroupRules: ['c 99999999999:3 r'] },
    says: /devices\.allow: invalid argument|out of range|OCI runtime create failed/,
  },
  // Users and groups.
  { config: { User: 'nope' }, says: /^unable to find user nope: no matching entries in passwd file$/ },
  { config: { User: '0:nope' }, says: /^unable to find group nope: no matching entries in group file$/ },
  { config: { User: '-1' }, says: ids },
  { config: { User: '4294967296' }, says: ids },
  { host: { GroupAdd: ['nope'] }, says: /^Unable to find group nope: no matching entries in group file$/ },
  { host: { GroupAdd: [''] }, says: /^Unable to find group : no matching entries in group file$/ },
  { host: { GroupAdd: ['-1'] }, says: ids },
  { host: { GroupAdd: ['4294967296'] }, says: ids },
];

/** What an engine says to a container that is made and started, and whether it was the asker's fault; undefined: it ran. */
async function answer(
  target: Target,
  { host = {}, config = {} }: Row,
): Promise<{ status: number; text: string } | undefined> {
  const body = { Image: 'busybox', Cmd: ['true'], ...config, HostConfig: host };
  const made = await target.api('POST', '/v1.41/containers/create', body);
  if (made.status !== 201) return { status: made.status, text: made.json<{ message: string }>().message };
  const path = `/containers/${made.json<{ Id: string }>().Id}`;
  const started = await target.api('POST', `${path}/start`);
  await target.api('DELETE', `${path}?force=1`);
  return started.status === 204
    ? undefined
    : { status: started.status, text: started.json<{ message: string }>().message };
}

onBoth('refusals of confinement', {
  'what cannot be had is refused, for the same reason': async (target) => {
    await using donor = await run(target, 'sleep 1000');
    await target.api('POST', `${donor.path}/rename?name=donor`);
    const wrong: string[] = [];
    for (const row of ROWS) {
      const old = target.name === 'dockerd' ? row.old : undefined;
      const said = await answer(target, row);
      const fits = old === 'accepts' ? said === undefined : (old ?? row.says).test(said?.text ?? 'it ran');
      if (!fits) wrong.push(`${JSON.stringify(row)}: ${said?.text ?? 'it ran'}`);
    }
    assert.deepEqual(wrong, []);
  },

  'labels say nothing where there is no SELinux': async (target) => {
    const host = { SecurityOpt: ['label=type:x', 'label:level:s0'], Binds: ['/tmp:/a:z', '/tmp:/b:ro,Z'] };
    const made = await target.api('POST', '/containers/create', { Image: 'busybox', Cmd: ['true'], HostConfig: host });
    assert.equal(made.status, 201, made.text);
    const path = `/containers/${made.json<{ Id: string }>().Id}`;
    assert.equal((await target.api('POST', `${path}/start`)).status, 204);
    const { HostConfig, Mounts, ProcessLabel } = (await target.api('GET', `${path}/json`)).json<{
      HostConfig: typeof host;
      Mounts: { Destination: string; Mode: string }[];
      ProcessLabel: string;
    }>();
    assert.deepEqual([HostConfig.SecurityOpt, HostConfig.Binds, ProcessLabel], [host.SecurityOpt, host.Binds, '']);
    const modes = Mounts.map(({ Destination, Mode }) => `${Destination} ${Mode}`).toSorted();
    assert.deepEqual(modes, ['/a z', '/b ro,Z']);
    await target.api('DELETE', `${path}?force=1`);
  },

  'an exec’s user is looked up in the container': async (target) => {
    await using made = await run(
      target,
      'echo late:x:1234:1234::/:/bin/sh >>/etc/passwd; echo late:x:1234: >>/etc/group; touch /ready; sleep 1000',
    );
    const as = (user: string, script = 'id') => target.docker(['exec', '-u', user, made.id, 'sh', '-c', script]);
    assert.equal((await as('0', 'until [ -e /ready ]; do :; done')).code, 0);
    const outputs: string[] = [];
    for (const user of ['late', '1234', 'late:wheel', '4321', '4321:5', ':10'])
      outputs.push((await as(user)).stdout.trim());
    assert.deepEqual(outputs, [
      'uid=1234(late) gid=1234(late) groups=1234(late)',
      'uid=1234(late) gid=1234(late) groups=1234(late)',
      'uid=1234(late) gid=10(wheel) groups=10(wheel)',
      'uid=4321 gid=0(root) groups=0(root)',
      'uid=4321 gid=5 groups=5',
      'uid=0(root) gid=10(wheel) groups=10(wheel)',
    ]);
    for (const [user, message] of [
      ['nope', 'unable to find user nope: no matching entries in passwd file'],
      ['0:nope', 'unable to find group nope: no matching entries in group file'],
    ] as const) {
      const { code, stdout, stderr } = await as(user);
      assert.ok(code !== 0 && `${stdout}${stderr}`.includes(message), `${user}: ${stdout}${stderr}`);
    }
  },
});
