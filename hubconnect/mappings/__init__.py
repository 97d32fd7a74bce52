"""How two object types correspond, and the editor for it."""
