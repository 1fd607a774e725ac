print 'hello'
import twilio
