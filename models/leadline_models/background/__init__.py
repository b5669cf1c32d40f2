"""Training that takes what the machine has to spare, for hours or days, through any number of interruptions."""
