"""The commands of the program, one file each; they see every folder and nobody imports them."""
