//! UDP as std has it, waiting included.

use crate::support::workers;
use kettle::net::UdpSocket;
use kettle::thread;

#[test]
fn a_receive_waits_for_a_datagram() {
    workers(1).run(|| {
        let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
        let theirs = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (from, to) = (ours.local_addr().unwrap(), theirs.local_addr().unwrap());
        let receiver = thread::spawn(move || {
            let mut bytes = [0; 16];
            let (len, sender) = theirs.recv_from(&mut bytes).unwrap();
            assert_eq!((&bytes[..len], sender), (&b"water"[..], from));
            theirs.connect(sender).unwrap();
            theirs.send(b"steam").unwrap();
        });
        thread::yield_now();
        assert_eq!(ours.send_to(b"water", to).unwrap(), 5);
        let mut bytes = [0; 16];
        assert_eq!(ours.peek(&mut bytes).unwrap(), 5);
        assert_eq!(ours.recv(&mut bytes).unwrap(), 5);
        assert_eq!(&bytes[..5], b"steam");
        receiver.join().unwrap();
    });
}
