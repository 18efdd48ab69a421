package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// putDevices stores the devices of a list. One that is not on it any more is
// revoked: it gets no link and its new events are refused.
func putDevices(tx *store.Tx, list *identity.DeviceList) error {
	known, err := tx.Devices(list.Person)
	if err != nil {
		return err
	}
	for _, d := range known {
		_, listed := list.Find(d.ID)
		if d.Revoked == listed {
			d.Revoked = !listed
			if err := tx.PutDevice(d); err != nil {
				return err
			}
		}
	}
	for _, cert := range list.Certs {
		b, err := cert.MarshalBinary()
		if err != nil {
			return fmt.Errorf("encode certificate: %w", err)
		}
		d, err := tx.Device(cert.DeviceID())
		if errors.Is(err, store.ErrNotFound) {
			d, err = newDevice(tx, cert.DeviceID(), list.Person)
		}
		if err != nil {
			return err
		}
		d.Cert = b
		if err := tx.PutDevice(d); err != nil {
			return err
		}
	}
	return nil
}

// maxUnlisted is how many devices of a person are kept that are on no list of
// theirs that we know: new ones, whose list is still to come, and those that
// were taken off.
const maxUnlisted = 32

// forgetUnlisted makes room after a device of a person was put, for one can
// certify any number: those that were not seen for longest go. Who wrote
// something stays known, and what is on the list; our own devices come by our
// list alone.
func (n *Node) forgetUnlisted(tx *store.Tx, put store.Device) error {
	if put.Person == n.me.id {
		return nil
	}
	all, err := tx.Devices(put.Person)
	if err != nil || len(all) <= maxUnlisted {
		return err
	}
	list, err := storedList(tx, put.Person)
	if err != nil {
		return err
	}
	keys, err := tx.ConvKeys(chat.Direct(n.me.id, put.Person))
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(d store.Device) bool {
		listed := false
		if list != nil {
			_, listed = list.Find(d.ID)
		}
		return listed || d.ID == put.ID || slices.ContainsFunc(keys, func(k store.ConvKey) bool { return k.Device == d.ID })
	})
	slices.SortFunc(all, func(a, b store.Device) int { return a.LastSeen.Compare(b.LastSeen) })
	for _, d := range all[:max(0, len(all)+1-maxUnlisted)] {
		if err := tx.DeleteDevice(d.ID); err != nil {
			return err
		}
	}
	return nil
}

// storedList reads a person's newest list, nil when there is none.
func storedList(tx interface {
	List(identity.ID) ([]byte, error)
}, id identity.ID,
) (*identity.DeviceList, error) {
	b, err := tx.List(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && b == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return identity.ParseDeviceList(b)
}

// ownList is the newest list of our devices.
func (n *Node) ownList() *identity.DeviceList { return n.known().lists[n.me.id] }

// epoch is that of the newest list we hold of a person, 0 without one.
func (r *roster) epoch(id identity.ID) uint64 {
	if l := r.lists[id]; l != nil {
		return l.Epoch
	}
	return 0
}

// listed says whether a device is on the newest list we hold of its person.
// Where there is none yet, the devices we were told of count.
func (r *roster) listed(id identity.ID, d identity.DeviceID) bool {
	l := r.lists[id]
	if l == nil {
		known, ok := r.devices[d]
		return ok && known.Person == id && !known.Revoked
	}
	_, ok := l.Find(d)
	return ok
}

// takeList stores a list that somebody showed us, if it is newer than what we
// hold. Each device that came or went becomes a row of the conversation.
func (n *Node) takeList(ctx context.Context, list *identity.DeviceList) error {
	if l := n.known().lists[list.Person]; l != nil && l.Hash() == list.Hash() {
		return nil
	}
	var changes []chat.DeviceBody
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		changes = nil
		prev, err := storedList(tx, list.Person)
		if err != nil {
			return err
		}
		if err := list.Follows(prev); err != nil {
			return err
		}
		if prev != nil && prev.Epoch == list.Epoch {
			return nil
		}
		changes = listChanges(prev, list)
		return putList(tx, list)
	})
	if errors.Is(err, identity.ErrOldList) {
		return nil // theirs is news of yesterday: ours reaches them by the greeting
	}
	if err != nil {
		return fmt.Errorf("device list of %s: %w", list.Person.Short(), err)
	}
	if err := n.reload(ctx); err != nil {
		return err
	}
	for _, l := range n.links.of(list.Person) {
		if _, ok := list.Find(l.device); !ok && !l.guest.Load() {
			l.close(errRevoked)
		}
	}
	if len(changes) > 0 {
		return n.noteDevices(ctx, list.Person, changes)
	}
	return nil
}

// listChanges says what is different between two lists of one person; nothing
// for the first one seen.
func listChanges(prev, next *identity.DeviceList) (out []chat.DeviceBody) {
	if prev == nil {
		return nil
	}
	for _, c := range next.Certs {
		if _, had := prev.Find(c.DeviceID()); !had {
			out = append(out, chat.DeviceBody{Act: chat.DeviceAdded, Person: next.Person, Device: c.DeviceID(), Name: c.Name})
		}
	}
	for _, c := range prev.Certs {
		if _, has := next.Find(c.DeviceID()); !has {
			out = append(out, chat.DeviceBody{Act: chat.DeviceRevoked, Person: next.Person, Device: c.DeviceID(), Name: c.Name})
		}
	}
	return out
}

// noteDevices tells viewers, and writes what changed into the conversation.
// The row is ours: each of the two people writes what they saw of the other.
func (n *Node) noteDevices(ctx context.Context, who identity.ID, changes []chat.DeviceBody) error {
	n.changes.tell(Change{Topic: TopicContact, Who: who}, Change{Topic: TopicDevices})
	if !n.known().friend(who) {
		return nil
	}
	for _, c := range changes {
		if err := n.write(ctx, who, chat.KindDevice, c.Encode()); err != nil {
			return err
		}
	}
	n.keeper.ring()
	return nil
}
