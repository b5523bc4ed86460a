import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GO_TYPE } from './go-print.ts';
import { compileTemplate } from './template.ts';

const data = {
  Name: 'web',
  State: { Status: 'running', Pid: 12 },
  Labels: { b: '2', a: '1' },
  Cmd: ['sleep', '10'],
  Big: 9223372036854771712n,
  None: null,
};

const CASES: readonly [template: string, output: string][] = [
  ['plain', 'plain'],
  ['{{.Name}}', 'web'],
  ['{{.State.Status}} {{.State.Pid}}', 'running 12'],
  ['{{.Labels}} {{.Cmd}} {{.None}}', 'map[a:1 b:2] [sleep 10] <nil>'],
  ['{{.Missing}}', '<no value>'],
  ['{{json .Labels}}', '{"b":"2","a":"1"}'],
  ['{{json .Big}} {{.Big}}', '9223372036854771712 9223372036854771712'],
  ['{{upper .Name}} {{.Name | title}} {{lower "ABC"}}', 'WEB Web abc'],
  ['{{join .Cmd " "}} {{index (split "a,b" ",") 1}}', 'sleep 10 b'],
  ['{{len .Cmd}} {{index .Cmd 0}} {{index .Labels "a"}}', '2 sleep 1'],
  ['{{println .Name}}', 'web\n'],
  ['{{printf "%-5s|%03d|%q" .Name 7 .Name}}', 'web  |007|"web"'],
  ['{{if eq .State.Status "running"}}up{{else}}down{{end}}', 'up'],
  ['{{if .Nope}}a{{else if .Name}}b{{else}}c{{end}}', 'b'],
  ['{{if and .Name (not .None)}}yes{{end}}', 'yes'],
  ['{{or .None "x"}} {{ne 1 2}} {{lt 1 2}} {{ge "b" "a"}}', 'x true true true'],
  ['{{range .Cmd}}<{{.}}>{{end}}', '<sleep><10>'],
  ['{{range $i, $c := .Cmd}}{{if $i}},{{end}}{{$c}}{{end}}', 'sleep,10'],
  ['{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}', 'a=1;b=2;'],
  ['{{range .None}}x{{else}}none{{end}}', 'none'],
  ['{{range .Cmd}}{{.}}{{break}}{{end}}', 'sleep'],
  ['{{with .State}}{{.Pid}} {{$.Name}}{{end}}', '12 web'],
  ['{{$x := .Name}}{{$x}}', 'web'],
  ['a {{- " b " -}} c', 'a b c'],
  ['a{{/* note */}}b', 'ab'],
  ['{{"tab\\t"}}{{`raw\\t`}}', 'tab\traw\\t'],
  ['{{(index .Cmd 0) | len}}', '5'],
];

for (const [template, output] of CASES) {
  test(`template ${template}`, () => {
    assert.equal(compileTemplate(template).execute(data), output);
  });
}

test('parse errors use the words of text/template', () => {
  const cases: [string, string][] = [
    ['{{', 'template: :1: unclosed action'],
    ['{{foo}}', 'template: :1: function "foo" not defined'],
    ['{{if .a}}', 'template: :1: unexpected EOF'],
    ['{{end}}', 'template: :1: unexpected {{end}}'],
    ['{{}}', 'template: :1: missing value for command'],
    ['{{$x}}', 'template: :1: undefined variable "$x"'],
  ];
  for (const [source, message] of cases) assert.throws(() => compileTemplate(source), { message });
});

test('a missing field is an error where the caller asks for it, and for rows', () => {
  const strict = compileTemplate('{{.State.Foo}}', { missingKey: 'error' });
  const message = 'template: :1:8: executing "" at <.State.Foo>: map has no entry for key "Foo"';
  assert.throws(() => strict.execute(data), { message });
  const row = { [GO_TYPE]: '*formatter.ContainerContext' };
  assert.throws(() => compileTemplate('{{.Foo}}').execute(row), {
    message: `template: :1:2: executing "" at <.Foo>: can't evaluate field Foo in type *formatter.ContainerContext`,
  });
});
