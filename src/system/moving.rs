//! How do the bytes of files and sockets move with as few copies as the system allows?

pub use here::{read_at, receive_into, send_file};

#[cfg(unix)]
mod here {
    use std::fs::File;
    use std::io;
    use std::net::TcpStream;
    use std::os::unix::fs::FileExt;

    use rustix::buffer::spare_capacity;
    use rustix::net::{RecvFlags, recv};

    /// Reads from a place in a file; says how many bytes came.
    pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(buffer, offset)
    }

    /// Appends what has come to the spare room of a buffer, which must have some. The room is not zeroed before.
    pub fn receive_into(socket: &TcpStream, buffer: &mut Vec<u8>) -> io::Result<usize> {
        if buffer.len() == buffer.capacity() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(recv(socket, spare_capacity(buffer), RecvFlags::empty())?.0)
    }

    /// Sends bytes of a file past this program; `Unsupported` where that is not possible. Says how many were taken.
    #[cfg(target_os = "linux")]
    pub fn send_file(socket: &TcpStream, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        use rustix::io::Errno;
        let mut at = offset;
        match rustix::fs::sendfile(socket, file, Some(&mut at), count) {
            // Some file systems have no such way.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Err(io::ErrorKind::Unsupported.into()),
            result => Ok(result?),
        }
    }

    /// Only Linux has a way that is worth it.
    #[cfg(not(target_os = "linux"))]
    pub fn send_file(_: &TcpStream, _: &File, _: u64, _: usize) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(not(unix))]
mod here {
    use std::fs::File;
    use std::io::{self, Read};
    use std::net::TcpStream;
    use std::os::windows::fs::FileExt;

    /// Reads from a place in a file; says how many bytes came.
    pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.seek_read(buffer, offset)
    }

    /// Appends what has come to the spare room of a buffer, which must have some.
    pub fn receive_into(mut socket: &TcpStream, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let (before, room) = (buffer.len(), buffer.capacity());
        if before == room {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        buffer.resize(room, 0);
        let result = socket.read(&mut buffer[before..]);
        buffer.truncate(before + result.as_ref().unwrap_or(&0));
        result
    }

    /// Safe Rust cannot ask for it.
    pub fn send_file(_: &TcpStream, _: &File, _: u64, _: usize) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (one, listener.accept().unwrap().0)
    }

    #[test]
    fn bytes_land_behind_those_that_are_there_and_no_further_than_there_is_room() {
        let (mut far, near) = pair();
        far.write_all(b"hello world").unwrap();
        let mut buffer = Vec::with_capacity(8);
        buffer.extend_from_slice(b">> ");
        assert_eq!(receive_into(&near, &mut buffer).unwrap(), 5);
        assert_eq!((buffer.as_slice(), buffer.capacity()), (&b">> hello"[..], 8));
        assert!(receive_into(&near, &mut buffer).is_err());
        assert_eq!(buffer.len(), 8);
    }

    #[test]
    fn a_piece_of_a_file_reaches_the_other_side() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut piece = [0; 4];
        assert_eq!(read_at(&file, &mut piece, 7).unwrap(), 3);
        assert_eq!(&piece[..3], b"789");
        let (mut far, near) = pair();
        let sent = send_file(&near, &file, 2, 5);
        if cfg!(target_os = "linux") {
            assert_eq!(sent.unwrap(), 5);
            let mut read = [0; 5];
            far.read_exact(&mut read).unwrap();
            assert_eq!(&read, b"23456");
        } else {
            assert_eq!(sent.map_err(|why| why.kind()), Err(std::io::ErrorKind::Unsupported));
        }
    }
}
