process.stdout.write("confcom\n");
