"""What a person in the room can do, whatever program they sit at."""

from stage import Missed, until


class Person:
    """One module per program says how to type and what the screen shows; what is heard is compared here, to the letter."""

    # What the program is called, for the headings.
    program = None

    def __init__(self, nick, door):
        self.nick = nick
        self.room = door.room

    def enter(self):
        """Waits until the person is in the room."""
        raise NotImplementedError

    def is_warned(self):
        """Waits until the program says that the server is not the one that it should be."""
        raise NotImplementedError

    def say(self, text):
        """Says something to the room."""
        raise NotImplementedError

    def tell(self, whom, text):
        """Says something to one person."""
        raise NotImplementedError

    def room_lines(self):
        """What others said in the room, as (nick, text), in the order shown."""
        raise NotImplementedError

    def lines_in(self, room):
        """What others said in any room, as (nick, text), in the order shown; where the program tells rooms apart."""
        raise NotImplementedError

    def private_lines(self):
        """What others said to this person alone, as (nick, text)."""
        raise NotImplementedError

    def screen(self):
        """All that the program shows, for the report of a failure."""
        raise NotImplementedError

    def leave(self):
        """Leaves the room politely and waits for the program to end."""
        raise NotImplementedError

    def stop(self):
        """Ends the program however it takes."""
        raise NotImplementedError

    def hears(self, speaker, text):
        """Waits for a text in the room."""
        self._waits((speaker.nick, text), self.room_lines, "in the room")

    def hears_alone(self, speaker, text):
        """Waits for a text for this person alone."""
        self._waits((speaker.nick, text), self.private_lines, "in private")

    def hears_in(self, room, speaker, text):
        """Waits for a text in a room of its own."""
        self._waits((speaker.nick, text), lambda: self.lines_in(room), f"in {room}")

    def sees(self, *parts):
        """Waits for a line that shows all of these parts."""
        until(
            lambda: any(all(part in line for part in parts) for line in self.screen().splitlines()),
            f"{self.nick} ({self.program}) should see a line with {' and '.join(parts)}",
            self.screen,
        )

    def overheard(self, text):
        """Whether the program shows the text anywhere at all."""
        return text in self.screen()

    def _waits(self, line, lines, where):
        what = f"{self.nick} ({self.program}) should hear {line[0]} say {where}: {line[1]}"
        until(lambda: line in lines(), what, self.screen)
        if lines().count(line) > 1:
            raise Missed(f"{what}, but once; it was shown {lines().count(line)} times:\n{self.screen()}")
