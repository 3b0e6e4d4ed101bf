// The first import of the program: others fail in words of their own where Node is too old for them.
const oldest = [22, 19] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(`ringmaster needs Node ${oldest.join('.')} or newer; this is ${process.versions.node}\n`);
  process.exit(2);
}
