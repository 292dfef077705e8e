// Package notice tells people and programs what becomes of proposals and of requests to share: by
// mail and by signed webhooks.
//
// Several servers share the work. Each takes a notice for some minutes before it sends it, and
// notes afterwards what came of it, so that of a notice to a receiver one is sent. A server
// that dies after it has sent one and before it could note that leaves it to be sent again
// once its time is up; so does a mail server that takes a mail and cannot say so any more. The
// second has the Message-ID, or the Hatang-Notice, of the first. No protocol can do better.
package notice
