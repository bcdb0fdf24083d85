"""The commands of `csm`, a file each; they parse and print, the work is done elsewhere."""
