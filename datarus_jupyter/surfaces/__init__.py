"""Where cells are written on the server's side. The browser tab's surface is ``labextension/src/surface.ts``."""
