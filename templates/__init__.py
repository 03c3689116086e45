"""Message templates, the renderer that fills them, and the lint of what comes out."""
