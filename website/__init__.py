"""The site's content and behaviour: publishing releases, proving the live site, reading its logs. Knows the assembly, never `stacks/`."""
